using StickyWs.Reactors;

namespace StickyWs.Tests.Reactors;

public sealed class PatienceTests
{
    private readonly Patience _patience = new();

    [Fact]
    public void Wanted_AtFirst_IsWhateverComes() => Assert.Equal(1u, _patience.Wanted);

    [Fact]
    public void Turn_ThatReceivedSomething_IsFollowedByOneThatAsksForSome()
    {
        _patience.Note(1, hasOthers: false);

        Assert.InRange(_patience.Wanted, 2u, 48u);
    }

    [Fact]
    public void Turn_ThatReceivedNothing_IsFollowedByOneThatWaitsForWhateverComes()
    {
        Ask();

        _patience.Note(0, hasOthers: false);

        Assert.Equal(1u, _patience.Wanted);
    }

    [Fact]
    public void Load_ThatGivesAllThatIsAskedFor_IsAskedForMoreUpToABound()
    {
        Ask();
        var asked = new List<uint> { _patience.Wanted };
        for (var i = 0; i < 100; i++)
        {
            _patience.Note((int)_patience.Wanted, hasOthers: false);
            asked.Add(_patience.Wanted);
        }

        Assert.Equal(asked.Order(), asked);
        Assert.True(asked[1] > asked[0]);
        Assert.Equal(48u, asked[^1]);
        Assert.All(asked.Zip(asked.Skip(1)), pair => Assert.InRange(pair.Second, pair.First, pair.First + (pair.First / 4) + 1)); // Little by little.
    }

    [Fact]
    public void Load_ThatFallsShort_IsAskedForHalf()
    {
        Ask();
        for (var i = 0; i < 100; i++) _patience.Note((int)_patience.Wanted, hasOthers: false);

        _patience.Note(1, hasOthers: false);

        Assert.Equal(24u, _patience.Wanted);
    }

    [Fact]
    public void Load_ThatFallsShortAgainAndAgain_IsLeftAloneLongerEachTime()
    {
        var rests = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            Ask();
            while (_patience.Wanted > 1) _patience.Note(1, hasOthers: false);
            rests.Add(Rest());
        }

        Assert.Equal(rests.Order(), rests);
        Assert.InRange(rests[0], 1, 32);
        Assert.Equal(rests[0] * 2, rests[1]);
        Assert.Equal(2048, rests[^1]);
        Assert.Equal(rests[^1], rests[^2]);
    }

    [Fact]
    public void Load_ThatComesBack_ForgetsHowLongItWasLeftAlone()
    {
        Ask();
        while (_patience.Wanted > 1) _patience.Note(1, hasOthers: false);
        var first = Rest();
        for (var i = 0; i < 5; i++)
        {
            while (_patience.Wanted > 1) _patience.Note(1, hasOthers: false);
            Rest();
        }

        _patience.Note((int)_patience.Wanted, hasOthers: false);
        while (_patience.Wanted > 1) _patience.Note(1, hasOthers: false);

        Assert.Equal(first, Rest());
    }

    // An end, or a beginning, and whoever waits for the answer.
    [Fact]
    public void AnythingButBytes_EndsTheWaitingForAWhile()
    {
        Ask();
        _patience.Note((int)_patience.Wanted, hasOthers: true);

        Assert.Equal(1u, _patience.Wanted);
        Assert.Equal(64, Rest());
    }

    [Fact]
    public void AnythingButBytes_DuringALongerRest_DoesNotShortenIt()
    {
        for (var i = 0; i < 12; i++)
        {
            Ask();
            while (_patience.Wanted > 1) _patience.Note(1, hasOthers: false);
            if (i < 11) Rest();
        }

        _patience.Note(1, hasOthers: true);

        Assert.Equal(2048, Rest());
    }

    // Until it asks for more than one.
    private void Ask()
    {
        while (_patience.Wanted == 1) _patience.Note(1, hasOthers: false);
    }

    // How many turns it asks for no more than one.
    private int Rest()
    {
        var turns = 0;
        for (; _patience.Wanted == 1; turns++) _patience.Note(1, hasOthers: false);
        return turns;
    }
}
