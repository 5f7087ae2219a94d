using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Tunnels;

// Peers that take what they are sent slowly, or not at all; and a balancer that stood still itself.
public abstract partial class RelayWatchTests
{
    private const int Backlog = 256 * 1024;

    private static readonly byte[] BacklogHead = [0x82, 127, 0, 0, 0, 0, 0, Backlog >> 16, 0, 0];

    // It got the ping a moment ago, and has its time from then.
    [Fact]
    public async Task SlowReader_HasJustCaughtUp_HasItsWholeTimeToAnswer()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var (pair, ping) = await AskBehindABacklogAsync(rig);
        await AdvanceAsync(rig, Timeout - Second);
        await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket) && pair.Client.Socket.Available == 0);

        await AdvanceAsync(rig, Timeout);

        Assert.False(pair.Witness.Ended.IsCompleted);
        await pair.Client.WriteAsync(OwnPings.Answer(ping));
        await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket));
        await rig.TurnAsync();
        await AdvanceAsync(rig, Interval - Second);
        await pair.Client.WriteAsync(OwnPings.Frame(0x81, [1], isMasked: true));
        await pair.Backend.ReadExactlyAsync(7);
    }

    // What it takes after the ping does not count.
    [Fact]
    public async Task SlowReader_GoesOnReadingBehindThePing_IsMute()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var (pair, _) = await AskBehindABacklogAsync(rig);
        await pair.Backend.WriteAsync((byte[])[.. BacklogHead, .. new byte[Backlog]]);
        await Wait.UntilAsync(() => pair.Witness.ToClient == 2 * (Backlog + BacklogHead.Length));
        await AdvanceAsync(rig, Timeout);
        Assert.False(pair.Witness.Ended.IsCompleted);
        var before = pair.AcknowledgedByReceiver(fromClient: false);
        await pair.Client.ReadExactlyAsync(64 * 1024);
        await Wait.UntilAsync(() => pair.AcknowledgedByReceiver(fromClient: false) > before);

        await AdvanceAsync(rig, Timeout);

        Assert.Equal(0x88, (await pair.Backend.ReadExactlyAsync(Goodbye.Length + 4))[0]);
        await AssertEndsAsync(rig, pair, EndReason.ClientPingTimeout);
    }

    // The ping cannot even be sent.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PeerThatTakesNothing_IsMute(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, isClient ? PingPeers.Client : PingPeers.Backend);
        await FillAsync(rig, pair, fromClient: !isClient);

        await AssertEndsAsync(rig, pair, isClient ? EndReason.ClientPingTimeout : EndReason.BackendPingTimeout);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PeerThatTakesWhatItWasSentInTime_GoesOn(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, isClient ? PingPeers.Client : PingPeers.Backend);
        var sent = await FillAsync(rig, pair, fromClient: !isClient);
        await AdvanceAsync(rig, Interval + Second);
        await pair.Ends(isClient).Sender.ReadExactlyAsync((int)sent);
        await rig.TurnAsync();

        await AdvanceAsync(rig, Timeout);

        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    [Fact]
    public async Task LateSweep_EndsNobody()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, PingPeers.Both, idle: 3 * Interval, backendIdle: 3 * Interval);
        await AdvanceAsync(rig, Interval);
        await ReadPingAsync(pair.Client, isClient: true);
        await ReadPingAsync(pair.Backend, isClient: false);

        _time.Advance(10 * Interval);
        await rig.TurnAsync();
        await AdvanceAsync(rig, Timeout - Second);

        await pair.Client.WriteAsync(OwnPings.Frame(0x81, [1], isMasked: true));
        Assert.Equal(OwnPings.Frame(0x81, [1], isMasked: true), await pair.Backend.ReadExactlyAsync(7));
        await AssertEndsAsync(rig, pair, EndReason.BackendPingTimeout);
    }

    // Its bytes are looked at for a Pong, and not simply forwarded.
    [Fact]
    public async Task Ping_Unanswered_LastBytesBeforeTheEndArrive()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await AdvanceAsync(rig, Interval);
        await ReadPingAsync(pair.Client, isClient: true);
        await pair.Backend.FinishAsync();
        Assert.Equal("", await pair.Client.ReadTextToEndAsync());
        var last = OwnPings.Frame(0x81, new byte[100], isMasked: true);

        using (await rig.HoldAsync())
        {
            await pair.Client.WriteAsync(last);
            await pair.Client.FinishAsync();
        }

        Assert.Equal(last, await pair.Backend.ReadToEndAsync());
    }

    [Fact]
    public async Task Ping_PeersOwnFramesAreLost_IsNotSent()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await pair.Client.WriteAsync((byte[])[0x0A, 0x80]);
        await pair.Backend.ReadExactlyAsync(2);

        await AdvanceAsync(rig, 2 * (Interval + Timeout));

        Assert.Equal(0, pair.Client.Socket.Available);
        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    // The ping that is behind the backlog, which the client has read by now.
    private async Task<(RelayedPair Pair, byte[] Ping)> AskBehindABacklogAsync(RelayRig rig)
    {
        var pair = await JoinAsync(rig, receiveBuffer: 16 * 1024, sendBuffer: 2 * Backlog);
        var before = pair.AcknowledgedByReceiver(fromClient: false);
        await pair.Backend.WriteAsync((byte[])[.. BacklogHead, .. new byte[Backlog]]);
        await Wait.UntilAsync(() => pair.Witness.ToClient == Backlog + BacklogHead.Length);
        await AdvanceAsync(rig, Interval);
        await pair.Client.ReadExactlyAsync(BacklogHead.Length + Backlog);
        var ping = await ReadPingAsync(pair.Client, isClient: true);
        await Wait.UntilAsync(() => pair.AcknowledgedByReceiver(fromClient: false) - before >= BacklogHead.Length + Backlog + ping.Length);
        return (pair, ping);
    }

    // An endless frame. Returns how many bytes the sender could send.
    private static async Task<long> FillAsync(RelayRig rig, RelayedPair pair, bool fromClient)
    {
        var sender = pair.Ends(fromClient).Sender;
        byte[] head = [0x82, (byte)(fromClient ? 0xFF : 0x7F), 0x7F, 0, 0, 0, 0, 0, 0, 0, .. fromClient ? new byte[4] : []];
        await sender.WriteAsync(head);
        return head.Length + await PairRelayTests.FillAsync(rig, pair, sender, seed: 1);
    }
}
