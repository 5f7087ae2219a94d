using StickyWs.Configuration;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

public abstract partial class RelayWatchTests
{
    // Whatever the other side sends; and the Pong of a ping of ours is no word of the client's.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IdleSide_IsToldToGo_AndSoIsTheOther(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, peers: null, isClient ? Interval : null, isClient ? null : Interval);
        var (idle, other) = pair.Ends(isClient);
        for (var i = 0; i < 9; i++)
        {
            await AdvanceAsync(rig, Second);
            await other.WriteAsync(OwnPings.Frame(0x89, [1], !isClient));
            await idle.ReadExactlyAsync(isClient ? 3 : 7);
        }

        Assert.False(pair.Witness.Ended.IsCompleted);
        await AdvanceAsync(rig, Second);

        Assert.Equal(Goodbye, await pair.Client.ReadExactlyAsync(Goodbye.Length));
        var answer = OwnPings.Frame(0x88, [3, 0xE9], isMasked: true);
        await pair.Client.WriteAsync(answer);
        Assert.Equal(answer, await pair.Backend.ReadExactlyAsync(answer.Length));
        await pair.Backend.WriteAsync(OwnPings.Frame(0x88, [3, 0xE9], isMasked: false));
        Assert.True(await pair.Client.EndsInOrderAsync());
        Assert.True(await pair.Backend.EndsInOrderAsync());
        await pair.Client.FinishAsync();
        await pair.Backend.FinishAsync();
        Assert.Equal(isClient ? EndReason.ClientIdleTimeout : EndReason.BackendIdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IdleSide_OwnPongs_DoNotKeepItAlive(bool isByEither)
    {
        var limit = TimeSpan.FromSeconds(35);
        await using var rig = new RelayRig(mode, time: _time);
        var pair = isByEither ? await JoinAsync(rig, whole: limit) : await JoinAsync(rig, idle: limit);
        for (var i = 0; i < 3; i++)
        {
            await AdvanceAsync(rig, Interval, steps: 10);
            await pair.Client.WriteAsync(OwnPings.Answer(await ReadPingAsync(pair.Client, isClient: true)));
            await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket));
            await rig.TurnAsync();
        }

        await AdvanceAsync(rig, Second, steps: 2);
        Assert.False(pair.Witness.Ended.IsCompleted);
        await AdvanceAsync(rig, TimeSpan.FromSeconds(6), steps: 6);

        if (!isByEither) Assert.Equal(Goodbye, await pair.Client.ReadExactlyAsync(Goodbye.Length));
        pair.Client.Reset();
        pair.Backend.Reset();
        Assert.Equal(isByEither ? EndReason.IdleTimeout : EndReason.ClientIdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task IdleSide_ThatHasFinished_IsLeftToTheHalfClosedLimit()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, PingPeers.Client, idle: Interval);
        await pair.Client.FinishAsync();
        Assert.Equal("", await pair.Backend.ReadTextToEndAsync());

        await AdvanceAsync(rig, 3 * Interval, steps: 30);

        await pair.Backend.WriteAsync("still here");
        Assert.Equal("still here", await pair.Client.ReadTextAsync(10));
    }

    [Fact]
    public async Task IdleSide_ThatFinishesInsteadOfAnAnswer_IsLeftToTheHalfClosedLimit()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, whole: 3 * Interval);
        await AdvanceAsync(rig, Interval);
        await ReadPingAsync(pair.Client, isClient: true);
        await pair.Client.FinishAsync();
        Assert.Equal("", await pair.Backend.ReadTextToEndAsync());

        await AssertEndsAsync(rig, pair, EndReason.IdleTimeout);
    }

    // The ping is behind what it has not read yet.
    [Fact]
    public async Task Ping_WhileASlowReaderAcknowledges_IsWaitedFor()
    {
        const int Unread = 512 * 1024;
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, receiveBuffer: 16 * 1024);
        await pair.Backend.WriteAsync((byte[])[0x82, 127, 0, 0, 0, 0, 0, Unread >> 16, 0, 0, .. new byte[Unread]]);
        await Wait.UntilAsync(() => pair.Witness.ToClient == Unread + 10);
        await AdvanceAsync(rig, Interval);
        for (var round = 0; round < 3; round++)
        {
            var before = pair.AcknowledgedByReceiver(fromClient: false);
            await Wait.UntilAsync(async () =>
            {
                if (pair.Client.Socket.Available > 0) await pair.Client.ReadExactlyAsync(Math.Min(pair.Client.Socket.Available, 4096));
                return pair.AcknowledgedByReceiver(fromClient: false) > before;
            });
            await AdvanceAsync(rig, Timeout);
            Assert.False(pair.Witness.Ended.IsCompleted);
        }

        await AssertEndsAsync(rig, pair, EndReason.ClientPingTimeout);
    }

    [Fact]
    public async Task Watch_OnceNobodyHasOne_IsNotDue()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        Assert.InRange(await rig.DoAsync(PairRelay.Of(rig.Reactor).NextLook), 0, 1000);
        pair.Client.Reset();
        await pair.Witness.Ended.WaitAsync(Wait.Bound);

        Assert.Equal(-1, await rig.DoAsync(PairRelay.Of(rig.Reactor).NextLook));
    }

    private static async Task<byte[]> ReadPingAsync(Wire wire, bool isClient)
    {
        var ping = await wire.ReadExactlyAsync(isClient ? OwnPings.ToClient : OwnPings.ToBackend);
        OwnPings.PayloadOf(ping);
        return ping;
    }

    // The other side gets its time to answer.
    private async Task AssertEndsAsync(RelayRig rig, RelayedPair pair, EndReason reason)
    {
        await Wait.UntilAsync(async () =>
        {
            await AdvanceAsync(rig, Second);
            return pair.Witness.Ended.IsCompleted;
        });
        Assert.Equal(reason, await pair.Witness.Ended);
    }

    private async Task AdvanceAsync(RelayRig rig, TimeSpan time, int steps = 1)
    {
        steps = Math.Max(steps, (int)Math.Ceiling(time / Second)); // With fewer it would be a process that stood still.
        for (var i = 0; i < steps; i++)
        {
            _time.Advance(time / steps);
            await rig.TurnAsync();
        }
    }

    private static PairLimits Limits(PingPeers? peers, TimeSpan? idle = null, TimeSpan? backendIdle = null, TimeSpan? whole = null)
    {
        var options = new TunnelOptions { ClientIdleTimeout = idle, BackendIdleTimeout = backendIdle, CloseReason = "hush" };
        if (peers is { } asked) (options.Ping.Interval, options.Ping.Timeout, options.Ping.Peers) = (Interval, Timeout, asked);
        return new PairLimits(whole, null, null, TunnelWatch.For(options, new DrainOptions()));
    }

    private static async Task<RelayedPair> JoinAsync(
        RelayRig rig, PingPeers? peers = PingPeers.Client, TimeSpan? idle = null, TimeSpan? backendIdle = null, TimeSpan? whole = null, int receiveBuffer = 0,
        int sendBuffer = 0)
    {
        var limits = Limits(peers, idle, backendIdle, whole);
        var pair = await rig.JoinAsync(limits, receiveBuffer == 0 ? null : socket => socket.ReceiveBufferSize = receiveBuffer,
            configureInner: sendBuffer == 0 ? null : socket => socket.SendBufferSize = sendBuffer);
        await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
        return pair;
    }
}
