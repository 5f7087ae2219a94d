using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>The limits of time. Only ends are waited for; that one comes soon enough is not asserted.</summary>
public abstract class RelayLimitTests(ReactorMode mode)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task IdleLimit_WithoutAByte_BreaksBothSides()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync(new PairLimits(Short, null));

        Assert.Equal(EndReason.IdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.False(await pair.Client.EndsInOrderAsync());
        Assert.False(await pair.Backend.EndsInOrderAsync());
    }

    // One direction alone keeps a pair alive, and the pair beside it shows that the limit has passed meanwhile, twice over.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IdleLimit_WhileBytesMove_DoesNotEndThePair(bool fromClient)
    {
        var limits = new PairLimits(TimeSpan.FromSeconds(1), null);
        var clock = new FakeTimeProvider();
        await using var rig = new RelayRig(mode, time: clock);
        var active = await rig.JoinAsync(limits);
        var (sender, receiver) = active.Ends(fromClient);
        for (var i = 0; i < 2; i++)
        {
            var idle = await rig.JoinAsync(limits);
            for (var j = 0; j < 2; j++)
            {
                await sender.WriteAsync(".");
                Assert.Equal(".", await receiver.ReadTextAsync(1));
                clock.Advance(TimeSpan.FromSeconds(0.6));
                await rig.TurnAsync();
            }

            await idle.Witness.Ended.WaitAsync(Wait.Bound);
        }

        Assert.False(active.Witness.Ended.IsCompleted);
    }

    // All is with the kernel, so the relay itself moves nothing.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IdleLimit_WhileASlowReaderAcknowledges_DoesNotEndThePair(bool fromClient)
    {
        const int total = 512 * 1024;
        var limits = new PairLimits(TimeSpan.FromSeconds(1), null);
        var clock = new FakeTimeProvider();
        await using var rig = new RelayRig(mode, time: clock);
        var pair = await rig.JoinAsync(limits, socket => socket.ReceiveBufferSize = 16 * 1024);
        var (sender, receiver) = pair.Ends(fromClient);
        await sender.WriteAsync(new byte[total]);
        await Wait.UntilAsync(() => (fromClient ? pair.Witness.ToBackend : pair.Witness.ToClient) == total);
        var read = 0;
        for (var round = 0; round < 3; round++)
        {
            clock.Advance(TimeSpan.FromSeconds(0.75));
            await rig.TurnAsync();
            var before = pair.AcknowledgedByReceiver(fromClient);
            await Wait.UntilAsync(async () =>
            {
                if (receiver.Socket.Available > 0) read += (await receiver.ReadExactlyAsync(Math.Min(receiver.Socket.Available, 4096))).Length;
                return pair.AcknowledgedByReceiver(fromClient) > before;
            });
            clock.Advance(TimeSpan.FromSeconds(0.25));
            await rig.TurnAsync();
            Assert.False(pair.Witness.Ended.IsCompleted);
        }

        Assert.InRange(read, 1, total - 1);
        await Wait.UntilAsync(async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await rig.TurnAsync();
            return pair.Witness.Ended.IsCompleted;
        });
        Assert.Equal(EndReason.IdleTimeout, await pair.Witness.Ended);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfClosedLimit_OnceOneSideHasFinished_EndsThePair(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync(new PairLimits(null, Short));
        var untouched = await rig.JoinAsync(new PairLimits(null, Short));
        var (first, second) = pair.Ends(fromClient);

        await first.FinishAsync();

        Assert.Equal("", await second.ReadTextToEndAsync());
        Assert.Equal(EndReason.IdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.False(await first.EndsInOrderAsync());
        Assert.False(untouched.Witness.Ended.IsCompleted);
    }

    [Fact]
    public async Task HalfClosedLimit_LongerThanTheIdleLimit_DoesNotLengthenIt()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync(new PairLimits(Short, TimeSpan.FromDays(1)));

        await pair.Client.FinishAsync();

        Assert.Equal(EndReason.IdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task HalfClosedLimit_NoneBesideAnIdleLimit_LeavesTheIdleLimit()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync(new PairLimits(Short, null));

        await pair.Backend.FinishAsync();

        Assert.Equal(EndReason.IdleTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    // The sweep costs nothing while nobody has a limit, and must come to rest again.
    [Fact]
    public async Task Sweep_OnceNobodyHasALimit_IsNotDue()
    {
        await using var rig = new RelayRig(mode);
        await rig.JoinAsync();
        Assert.Equal(-1, await rig.DoAsync(PairRelay.Of(rig.Reactor).NextLook));
        var limited = await rig.JoinAsync(new PairLimits(Short, Short));
        Assert.InRange(await rig.DoAsync(PairRelay.Of(rig.Reactor).NextLook), 0, 1000);
        var halfClosed = await rig.JoinAsync(new PairLimits(null, Short));
        await halfClosed.Client.FinishAsync();

        await limited.Witness.Ended.WaitAsync(Wait.Bound);
        await halfClosed.Witness.Ended.WaitAsync(Wait.Bound);

        Assert.Equal(-1, await rig.DoAsync(PairRelay.Of(rig.Reactor).NextLook));
    }

    [Fact]
    public async Task LongestLimit_DoesNotOverflow()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync(new PairLimits(TimeSpan.FromDays(7), TimeSpan.MaxValue));
        var other = await rig.JoinAsync(new PairLimits(Short, null));

        await other.Witness.Ended.WaitAsync(Wait.Bound);

        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    public sealed class OnEpoll() : RelayLimitTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RelayLimitTests(ReactorMode.IoUring);
}
