using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;

namespace StickyWs.Tests.Backends;

public sealed class TokenBucketTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(0.5, 1)]
    [InlineData(1, 1)]
    [InlineData(10, 1)]
    [InlineData(11, 2)]
    [InlineData(100, 10)]
    [InlineData(1000, 100)]
    public void TryTake_AtOnce_GivesATenthOfASecondsTokens(double perSecond, int burst)
    {
        var bucket = new TokenBucket(perSecond, _time);

        Assert.Equal(burst, Taken(bucket));
        Assert.False(bucket.HasToken);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(burst, Taken(bucket));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(1000)]
    public void TryTake_AskedAllTheTime_GivesTheRate(double perSecond)
    {
        var bucket = new TokenBucket(perSecond, _time);
        Taken(bucket);
        var taken = 0;

        for (var i = 0; i < 10_000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            taken += Taken(bucket);
        }

        Assert.InRange(taken, (10 * perSecond) - 1, (10 * perSecond) + 1);
    }

    [Fact]
    public void Wait_NoToken_IsTheTimeUntilThereIsOne()
    {
        var bucket = new TokenBucket(4, _time);
        Assert.Equal(TimeSpan.Zero, bucket.Wait);
        Assert.True(bucket.TryTake());

        Assert.Equal(TimeSpan.FromMilliseconds(250), bucket.Wait);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.False(bucket.TryTake());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.Zero, bucket.Wait);
        Assert.True(bucket.TryTake());
    }

    [Fact]
    public void PutBack_ATokenThatWasNotUsed_CanBeTakenAgain()
    {
        var bucket = new TokenBucket(4, _time);
        Assert.True(bucket.TryTake());

        bucket.PutBack();

        Assert.Equal(1, Taken(bucket));
    }

    [Fact]
    public void At_AnotherRate_BeginsWithOneToken()
    {
        var bucket = new TokenBucket(0.1, _time);
        Taken(bucket);

        var other = bucket.At(1000);

        Assert.Equal(1, Taken(other));
        _time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(2, Taken(other));
    }

    [Fact]
    public void TryTake_FromManyThreads_GivesEachTokenOnce()
    {
        for (var round = 0; round < 20; round++)
        {
            var bucket = new TokenBucket(5000, _time);
            var taken = 0;

            Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                if (bucket.TryTake()) Interlocked.Increment(ref taken);
            });

            Assert.Equal(500, taken);
        }
    }

    [Fact]
    public void TryTake_PartOfTheRate_GivesThatPart()
    {
        var bucket = new TokenBucket(100, _time);
        var taken = 0;
        while (bucket.TryTake(share: 100)) taken++;
        Assert.Equal(1, taken);

        for (var i = 0; i < 1000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            if (bucket.TryTake(share: 100)) taken++;
        }

        Assert.InRange(taken, 100, 102);
        bucket.PutBack(share: 100);
        Assert.True(bucket.TryTake(share: 100));
    }

    private static int Taken(TokenBucket bucket)
    {
        var taken = 0;
        while (bucket.TryTake()) taken++;
        return taken;
    }
}
