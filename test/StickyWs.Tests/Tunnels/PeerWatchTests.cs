using StickyWs.Frames;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>How long a peer is waited for that still takes what it was sent.</summary>
public sealed class PeerWatchTests
{
    private readonly PeerWatch _peer = new(isClient: true);

    [Fact]
    public void TryAwait_UpToThePingAndOnceMore()
    {
        Ask(acknowledged: 100, pingAt: 300);

        Assert.Equal([true, true, true, false], Try(200, 299, 500, 600));
    }

    [Fact]
    public void TryAwait_NothingIsAheadOfThePing_IsFalse()
    {
        Ask(acknowledged: 100, pingAt: 100);

        Assert.False(_peer.TryAwait(1, acknowledged: 114));
    }

    [Fact]
    public void TryAwait_NothingIsTaken_IsFalse()
    {
        Ask(acknowledged: 100, pingAt: 300);

        Assert.Equal([true, false], Try(200, 200));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public void TryAwaitUnseen_WhileItTakesOrIsToTake_ABoundedNumberOfTimes(bool isHeldUp, int passes)
    {
        Ask(acknowledged: 7, pingAt: long.MaxValue);

        var waits = Enumerable.Range(1, 6).Select(i => _peer.TryAwaitUnseen(i, 7 + (i * passes), isHeldUp)).ToArray();

        Assert.Equal([true, true, true, true, false, false], waits);
    }

    [Fact]
    public void TryAwaitUnseen_NothingIsUnderWay_IsFalse()
    {
        Ask(acknowledged: 7, pingAt: long.MaxValue);

        Assert.False(_peer.TryAwaitUnseen(1, 7, isHeldUp: false));
    }

    [Fact]
    public void AwaitRoom_EndsWhenThereIsRoom_AndItIsStillToBeAsked()
    {
        _peer.Begin(0);
        _peer.AwaitRoom(10, acknowledged: 5);
        Assert.True(_peer.IsAwaited);

        _peer.NoteRoom(11);

        Assert.Equal((false, true, true), (_peer.IsAwaited, _peer.IsDue, _peer.IsOwed));
        Ask(acknowledged: 5, pingAt: 5);
        _peer.NoteRoom(1001);
        Assert.Equal((true, false, false), (_peer.IsAwaited, _peer.IsDue, _peer.IsOwed));
    }

    private void Ask(long acknowledged, long pingAt) => _peer.Ask(new byte[OwnPing.Longest], 1000, acknowledged, pingAt);

    private bool[] Try(params long[] acknowledged) => [.. acknowledged.Select(one => _peer.TryAwait(2000, one))];
}
