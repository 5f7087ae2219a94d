using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>Pairs whose sides may be silent only for so long, apart, and the pings that quiet ones get.</summary>
public abstract partial class RelayWatchTests(ReactorMode mode)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Goodbye = [0x88, 6, 3, 0xE9, .. "hush"u8];

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ping_PongCutAnywhere_NeverReachesTheOtherSide(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, isClient ? PingPeers.Client : PingPeers.Backend);
        var (asked, other) = pair.Ends(isClient);
        var message = OwnPings.Frame(0x81, "hello"u8.ToArray(), isClient);
        for (var cut = 0; cut <= OwnPings.ToBackend; cut++)
        {
            await AdvanceAsync(rig, Interval);
            var pong = OwnPings.Answer(await ReadPingAsync(asked, isClient));
            var at = Math.Min(cut, pong.Length);
            if (at > 0) await asked.WriteAsync(pong.AsMemory(0, at));
            await rig.TurnAsync();
            await asked.WriteAsync((byte[])[.. pong[at..], .. message]);
            Assert.Equal(message, await other.ReadExactlyAsync(message.Length));
        }

        var expected = (OwnPings.ToBackend + 1) * message.Length;
        Assert.Equal((isClient ? expected : 0, isClient ? 0 : expected), (pair.Witness.ToBackend, pair.Witness.ToClient));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ping_WithoutASignOfLife_ResetsTheSide_AndTellsTheOther(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, PingPeers.Both);
        var (mute, other) = pair.Ends(isClient);
        await AdvanceAsync(rig, Interval);
        await ReadPingAsync(mute, isClient);
        await other.WriteAsync(OwnPings.Answer(await ReadPingAsync(other, !isClient)));
        await AdvanceAsync(rig, Timeout - Second);
        Assert.False(pair.Witness.Ended.IsCompleted);

        await AdvanceAsync(rig, Second);

        var close = await other.ReadExactlyAsync(isClient ? Goodbye.Length + 4 : Goodbye.Length);
        Assert.Equal(isClient ? 0x88 : Goodbye[0], close[0]);
        await other.WriteAsync(OwnPings.Frame(0x88, [3, 0xE9], !isClient));
        await other.FinishAsync();
        Assert.Equal(isClient ? EndReason.ClientPingTimeout : EndReason.BackendPingTimeout, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.True(await other.EndsInOrderAsync());
    }

    // Any byte will do, also of half a frame; and the next ping comes only when it is quiet again.
    [Fact]
    public async Task Ping_AnyByte_IsASignOfLife()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await AdvanceAsync(rig, Interval);
        var first = await ReadPingAsync(pair.Client, isClient: true);
        await pair.Client.WriteAsync((byte[])[0x82, 0xFE]);
        Assert.Equal([0x82, 0xFE], await pair.Backend.ReadExactlyAsync(2));

        await AdvanceAsync(rig, Interval - Second);
        Assert.Equal(0, pair.Client.Socket.Available);
        await AdvanceAsync(rig, Second);

        var second = await ReadPingAsync(pair.Client, isClient: true);
        Assert.NotEqual(first, second);
        await AssertEndsAsync(rig, pair, EndReason.ClientPingTimeout);
    }

    [Fact]
    public async Task Ping_WithinAFrameOfTheOtherSide_WaitsForItsEnd()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        var first = OwnPings.Frame(0x01, new byte[100], isMasked: false);
        var second = OwnPings.Frame(0x80, new byte[100], isMasked: false);
        await pair.Backend.WriteAsync(first.AsMemory(0, 50));
        Assert.Equal(first[..50], await pair.Client.ReadExactlyAsync(50));
        await AdvanceAsync(rig, Interval, steps: 10);
        Assert.Equal(0, pair.Client.Socket.Available);

        await pair.Backend.WriteAsync((byte[])[.. first[50..], .. second]);

        Assert.Equal(first[50..], await pair.Client.ReadExactlyAsync(first.Length - 50));
        var ping = await ReadPingAsync(pair.Client, isClient: true);
        Assert.Equal(second, await pair.Client.ReadExactlyAsync(second.Length));
        await pair.Client.WriteAsync((byte[])[.. OwnPings.Answer(ping), 0x8A, 0x80, 1, 2, 3, 4]);
        Assert.Equal([0x8A, 0x80, 1, 2, 3, 4], await pair.Backend.ReadExactlyAsync(6));
    }

    // In bulk, so that it may be spliced: a ping between two of its frames, and the Pong between two of the client's.
    [Fact]
    public async Task Ping_AmidBulk_IsSeen_AndSoIsItsPong()
    {
        const int Size = 4 * 1024 * 1024;
        byte[] head = [0x82, 127, 0, 0, 0, 0, 0, Size >> 16, 0, 0];
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        var writing = pair.Backend.WriteAsync((byte[])[.. head, .. new byte[Size / 2]]);
        await pair.Client.ReadExactlyAsync(head.Length + (Size / 2));
        await writing;
        await AdvanceAsync(rig, Interval);

        writing = pair.Backend.WriteAsync((byte[])[.. new byte[Size / 2], .. head, .. new byte[Size]]);
        await pair.Client.ReadExactlyAsync(Size / 2);
        var ping = await ReadPingAsync(pair.Client, isClient: true);
        Assert.Equal(head, await pair.Client.ReadExactlyAsync(head.Length));
        await pair.Client.ReadExactlyAsync(Size);
        await writing;

        byte[] masked = [0x82, 0xFF, .. head[2..], 0, 0, 0, 0];
        byte[] all = [.. masked, .. new byte[Size], .. OwnPings.Answer(ping), .. masked, .. new byte[Size]];
        writing = pair.Client.WriteAsync(all);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(masked, await pair.Backend.ReadExactlyAsync(masked.Length));
            Assert.All(await pair.Backend.ReadExactlyAsync(Size), one => Assert.Equal(0, one));
        }

        await writing;
        Assert.Equal(2 * (Size + masked.Length), pair.Witness.ToBackend);
    }

    // A peer need answer only the last ping (RFC 6455 section 5.5.3), and this one waits for its own.
    [Fact]
    public async Task Ping_OfTheOtherSideIsUnanswered_AsksNothingMore()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        var theirs = OwnPings.Frame(0x89, [7, 7], isMasked: false);
        await AdvanceAsync(rig, Second);
        await pair.Backend.WriteAsync(theirs);
        Assert.Equal(theirs, await pair.Client.ReadExactlyAsync(theirs.Length));
        await AdvanceAsync(rig, Interval);
        Assert.Equal(0, pair.Client.Socket.Available);

        var answer = OwnPings.Frame(0x8A, [7, 7], isMasked: true);
        await pair.Client.WriteAsync(answer);
        Assert.Equal(answer, await pair.Backend.ReadExactlyAsync(answer.Length));
        await AdvanceAsync(rig, Interval);
        await ReadPingAsync(pair.Client, isClient: true);
        await pair.Client.WriteAsync(answer);
        await pair.Backend.WriteAsync(theirs);
        Assert.Equal(answer, await pair.Backend.ReadExactlyAsync(answer.Length));

        await AdvanceAsync(rig, Second);
        await pair.Backend.WriteAsync(theirs);
        await pair.Client.ReadExactlyAsync(2 * theirs.Length);
        await AdvanceAsync(rig, Interval);
        Assert.Equal(0, pair.Client.Socket.Available);
        await AssertEndsAsync(rig, pair, EndReason.ClientPingTimeout);
    }

    // The client answers that of the other side, which came last, and later both of ours.
    [Fact]
    public async Task Ping_PeerAnswersOnlyTheNewest_LivesAndNoneOfOursPasses()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await AdvanceAsync(rig, Interval);
        var first = await ReadPingAsync(pair.Client, isClient: true);
        await pair.Backend.WriteAsync(OwnPings.Frame(0x89, [9], isMasked: false));
        await pair.Client.ReadExactlyAsync(3);
        var answer = OwnPings.Frame(0x8A, [9], isMasked: true);
        await pair.Client.WriteAsync(answer);
        Assert.Equal(answer, await pair.Backend.ReadExactlyAsync(answer.Length));
        await AdvanceAsync(rig, Interval);
        var second = await ReadPingAsync(pair.Client, isClient: true);

        await pair.Client.WriteAsync((byte[])[.. OwnPings.Answer(first), .. answer, .. OwnPings.Answer(second), .. answer]);

        Assert.Equal((byte[])[.. answer, .. answer], await pair.Backend.ReadExactlyAsync(2 * answer.Length));
        await AdvanceAsync(rig, Timeout);
        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    [Fact]
    public async Task Ping_HostilePongs_PassInOrder()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await AdvanceAsync(rig, Interval);
        var ping = await ReadPingAsync(pair.Client, isClient: true);
        var payload = OwnPings.PayloadOf(ping);
        byte[] hostile =
        [
            .. OwnPings.Frame(0x8A, [.. payload[..^1], (byte)(payload[^1] ^ 1)], true), .. OwnPings.Frame(0xCA, payload, true),
            .. OwnPings.Frame(0x8A, [.. payload, 0], true), .. OwnPings.Frame(0x8A, payload[1..], true), .. OwnPings.Frame(0x8A, new byte[125], true),
            .. OwnPings.Frame(0x01, payload, true), .. OwnPings.Frame(0x8A, [], true), .. OwnPings.Frame(0x80, payload, true),
            .. OwnPings.Frame(0x89, payload, true),
        ];

        foreach (var one in hostile) await pair.Client.WriteAsync((byte[])[one]);
        await pair.Client.WriteAsync((byte[])[.. OwnPings.Answer(ping), 0x0A, 0x80]); // Fragmented: it breaks the framing.
        await pair.Client.WriteAsync(OwnPings.Answer(ping));

        Assert.Equal((byte[])[.. hostile, 0x0A, 0x80, .. OwnPings.Answer(ping)], await pair.Backend.ReadExactlyAsync(hostile.Length + 20));
        await AdvanceAsync(rig, Interval + Timeout, steps: 14);
        Assert.True(await rig.DoAsync(() => pair.Witness.FromClient.IsLost));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ping_BeginningOfAPongBeforeTheEnd_Passes(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, PingPeers.Both);
        var (asked, other) = pair.Ends(isClient);
        await AdvanceAsync(rig, Interval);
        var pong = OwnPings.Answer(await ReadPingAsync(asked, isClient));
        await ReadPingAsync(other, !isClient);
        await asked.WriteAsync(pong.AsMemory(0, 9));
        await rig.TurnAsync();
        Assert.Equal(0, other.Socket.Available);

        await asked.FinishAsync();

        Assert.Equal(pong[..9], await other.ReadToEndAsync());
    }

    [Fact]
    public async Task Ping_AfterAClose_IsNotSent()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, PingPeers.Both);
        await pair.Backend.WriteAsync((byte[])[0x88, 0]);
        Assert.Equal([0x88, 0], await pair.Client.ReadExactlyAsync(2));

        await AdvanceAsync(rig, 3 * (Interval + Timeout), steps: 42);

        Assert.Equal((0, 0), (pair.Client.Socket.Available, pair.Backend.Socket.Available));
        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    [Fact]
    public async Task Ping_UnderWayAtAGoodbye_IsStillTakenOut()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await AdvanceAsync(rig, Interval);
        var pong = OwnPings.Answer(await ReadPingAsync(pair.Client, isClient: true));
        await pair.Client.WriteAsync(pong.AsMemory(0, 7));
        await rig.TurnAsync();

        Assert.True(await rig.DoAsync(() => PairRelay.Of(rig.Reactor).Say(pair.Number, new Goodbye(1012, "", EndReason.HandedOff, Timeout))));
        Assert.Equal([0x88, 2, 3, 0xF4], await pair.Client.ReadExactlyAsync(4));
        byte[] last = [.. OwnPings.Frame(0x81, [1], isMasked: true), .. OwnPings.Frame(0x88, [3, 0xF4], isMasked: true)];
        await pair.Client.WriteAsync((byte[])[.. pong[7..], .. last]);

        Assert.Equal(last, await pair.Backend.ReadExactlyAsync(last.Length));
        await pair.Backend.WriteAsync((byte[])[0x88, 0]);
        Assert.True(await pair.Backend.EndsInOrderAsync());
    }

    [Fact]
    public async Task Ping_BytesThatAreNoFrames_AreLeftAlone()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await rig.JoinAsync(Limits(PingPeers.Both));

        await AdvanceAsync(rig, 3 * (Interval + Timeout), steps: 42);

        Assert.Equal((0, 0), (pair.Client.Socket.Available, pair.Backend.Socket.Available));
        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    // Neither is it asked, which it cannot read, nor is its backend blamed, from which nothing is received.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Silence_WhileTheOtherSideTakesNothing_DoesNotCount(bool isClient)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, isClient ? PingPeers.Client : PingPeers.Backend, idle: Interval, backendIdle: Interval);
        var sender = pair.Ends(isClient).Sender;
        byte[] head = [0x82, (byte)(isClient ? 0xFF : 0x7F), 0x7F, 0, 0, 0, 0, 0, 0, 0, .. isClient ? new byte[4] : []];
        await sender.WriteAsync(head);
        await PairRelayTests.FillAsync(rig, pair, sender, seed: 1);

        await AdvanceAsync(rig, Interval, steps: 10);

        // The other side, which takes nothing, has said nothing either.
        await AssertEndsAsync(rig, pair, isClient ? EndReason.BackendIdleTimeout : EndReason.ClientIdleTimeout);
    }

    public sealed class OnEpoll() : RelayWatchTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RelayWatchTests(ReactorMode.IoUring);
}
