using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tls;

/// <summary>Part of a record holds memory, and so must become whole in time.</summary>
public sealed class HalfRecordTests : OwnRecordsTest
{
    private static readonly TimeSpan Most = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();

    public static TheoryData<ReactorMode, bool> Sides { get; }
        = new MatrixTheoryData<ReactorMode, bool>([ReactorMode.Epoll, ReactorMode.IoUring], [true, false]);

    [Theory]
    [MemberData(nameof(Sides))]
    public async Task HalfARecord_AfterAMinute_EndsThePair(ReactorMode mode, bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var (pair, peer) = await JoinAsync(rig, isClient);
        var (sender, receiver) = pair.Ends(isClient);
        await sender.WriteAsync(peer.Sends.Data("whole"u8));
        Assert.Equal("whole", await receiver.ReadTextAsync(5));

        await sender.WriteAsync(peer.Sends.Data("half"u8).AsMemory(..^1));
        await AdvanceAsync(rig, Most - TimeSpan.FromSeconds(16), steps: 1);
        Assert.False(pair.Witness.Ended.IsCompleted);
        for (var i = 0; i < 100 && !pair.Witness.Ended.IsCompleted; i++) await AdvanceAsync(rig, Most / 4, steps: 1);

        Assert.Equal(isClient ? EndReason.TlsFailed : EndReason.BackendTlsFailed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.False(await receiver.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public async Task Records_ThatBecomeWholeInTime_KeepThePair(ReactorMode mode, bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var (pair, peer) = await JoinAsync(rig, isClient);
        var (sender, receiver) = pair.Ends(isClient);
        byte[] rest = [];
        for (var i = 0; i < 10; i++)
        {
            // Each part is completed together with the next one's beginning: there is always one that waits.
            var next = peer.Sends.Data("x"u8);
            await sender.WriteAsync(Join(rest, next[..9]));
            if (i > 0) Assert.Equal("x", await receiver.ReadTextAsync(1));
            rest = next[9..];
            await rig.TurnAsync();
            await AdvanceAsync(rig, Most / 2);
        }

        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public async Task HalfARecord_WhoseRestIsNotReceived_KeepsThePair(ReactorMode mode, bool isClient)
    {
        const int records = 1000;
        await using var rig = new RelayRig(mode, time: _time);
        var (pair, peer) = await JoinAsync(rig, isClient);
        var (sender, receiver) = pair.Ends(isClient);
        var all = Join([.. Enumerable.Range(0, records).Select(_ => peer.Sends.Data(new byte[16_000]))]);
        var sending = sender.WriteAsync(all);
        // Until the receiver's buffers are full, then what the reactor holds for it, and then the sender's. That nothing moves for a moment does not say so:
        // the kernel paces what it sends.
        var (moved, stills) = (0L, 0);
        await Wait.UntilAsync(async () =>
        {
            await AdvanceAsync(rig, TimeSpan.FromMilliseconds(1));
            var isStill = moved == Moved() && await rig.DoAsync(() => rig.Reactor.Held) > 0 && !sender.Socket.Poll(0, SelectMode.SelectWrite);
            (moved, stills) = (Moved(), isStill ? stills + 1 : 0);
            return stills == 20;
        });

        await AdvanceAsync(rig, 10 * Most);
        Assert.False(pair.Witness.Ended.IsCompleted);

        await receiver.ReadExactlyAsync(records * 16_000);
        await sending;

        long Moved() => isClient ? pair.Witness.ToBackend : pair.Witness.ToClient;
    }

    private async Task<(RelayedPair Pair, Peer Peer)> JoinAsync(RelayRig rig, bool isClient)
    {
        var peer = Start();
        var tls = new TlsStart(peer.End, default);
        return (await rig.JoinAsync(default, null, isClient ? tls : null, isClient ? null : tls), peer);
    }

    private async Task AdvanceAsync(RelayRig rig, TimeSpan time, int steps = 4)
    {
        for (var i = 0; i < steps; i++)
        {
            _time.Advance(time / steps);
            await rig.TurnAsync();
        }
    }
}
