using StackExchange.Redis;
using StickyWs.TestKit;

namespace StickyWs.Redis.Tests;

/// <summary>What instances tell each other.</summary>
public sealed class NewsTests : StoreTest
{
    public static TheoryData<string> All => Servers.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task Saved_OfAnotherInstance_IsRaised_ButNotOfItself(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var (heardByOne, heardByOther) = (Hear(one), Hear(other));
        await UntilHeardAsync(one, heardByOther);
        await UntilHeardAsync(other, heardByOne);

        await one.SaveAsync(Key, "blue", Lifetime, Wait.Token());
        await Wait.UntilAsync(() => heardByOther.Contains((Key, "blue")));
        await UntilHeardAsync(other, heardByOne);

        Assert.DoesNotContain((Key, "blue"), heardByOne);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Saved_OfOneKeyManyTimes_IsRaisedInOrder(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var heard = Hear(other);
        await UntilHeardAsync(one, heard);

        for (var i = 0; i < 100; i++) await one.SaveAsync(Key, $"{i}", Lifetime, Wait.Token());
        await Wait.UntilAsync(() => heard.Contains((Key, "99")));

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), heard.Where(pin => pin.Key == Key).Select(pin => pin.Backend));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Saved_MessagesThatNoStoreSends_AreIgnored(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var heard = Hear(other);
        await UntilHeardAsync(one, heard);
        var stranger = (await StrangerAsync(Servers.AddressOf(server))).GetSubscriber();

        foreach (var message in PinMessageTests.Malformed) await stranger.PublishAsync(RedisChannel.Literal($"{Prefix}pins"), message);
        await stranger.PublishAsync(RedisChannel.Literal($"{Prefix}pins"), new string('x', 1_000_000));
        await stranger.PublishAsync(RedisChannel.Literal($"{Prefix}pins"), $"{NewKey()} {Key} last");
        await Wait.UntilAsync(() => heard.Contains((Key, "last")));

        Assert.Equal([(Key, "last")], heard.Where(pin => pin.Backend != Marker));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Saved_HandlerThatThrows_IsLoggedAndHearsTheNext(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var heard = Hear(other);
        other.Saved += (_, backend) =>
        {
            if (backend == "bad") throw new InvalidOperationException("A handler's fault.");
        };
        await UntilHeardAsync(one, heard);

        await one.SaveAsync(Key, "bad", Lifetime, Wait.Token());
        await one.SaveAsync(Key, "good", Lifetime, Wait.Token());
        await Wait.UntilAsync(() => heard.Contains((Key, "good")));

        Assert.Equal("A handler's fault.", Assert.Single(Logged("SavedHandlerFailed")).Exception!.Message);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Saved_HandlerThatIsTakenOff_HearsNoMore(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var heard = Hear(other);
        var keys = new List<string>();
        void Handler(string key, string backend) => keys.Add(key);
        other.Saved += Handler;
        other.Saved -= Handler;

        await UntilHeardAsync(one, heard);

        Assert.Empty(keys);
    }
}
