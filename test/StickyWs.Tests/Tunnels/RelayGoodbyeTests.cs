using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>Goodbyes to pairs whose peers are hostile, slow or gone.</summary>
public abstract class RelayGoodbyeTests(ReactorMode mode)
{
    private const string Text = "bye";

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(10);
    private static readonly byte[] Ours = [0x88, 5, 3, 0xF4, .. "bye"u8];
    private static readonly byte[] CloseOfClient = [0x88, 0x82, 0, 0, 0, 0, 3, 0xF4];

    private readonly FakeTimeProvider _time = new();

    // Each in a buffer of its own, they would use up all that one reactor has for all of its pairs.
    [Fact]
    public async Task TinyFrames_OfAClientThatWasTold_PassInRuns()
    {
        const int frames = 20_000;
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await SayAsync(rig, pair);
        Assert.Equal(Ours, await pair.Client.ReadExactlyAsync(Ours.Length));
        byte[] flood = [.. Enumerable.Repeat((byte[])[0x89, 0x80, 0, 0, 0, 0], frames).SelectMany(static frame => frame), .. CloseOfClient];
        var before = pair.Witness.Moves;

        Task writing;
        using (await rig.HoldAsync()) writing = pair.Client.WriteAsync((byte[])[.. flood, .. "nothing more"u8]);
        Assert.Equal(flood, await pair.Backend.ReadExactlyAsync(flood.Length));
        await writing;

        Assert.InRange(pair.Witness.Moves - before, 1, frames / 100);
        await pair.Backend.WriteAsync((byte[])[0x88, 0]);
        Assert.True(await pair.Backend.EndsInOrderAsync());
    }

    // However long each acknowledgement lasts it.
    [Fact]
    public async Task Client_ThatTakesItsLastBytesSlowly_IsWaitedForAMinute()
    {
        const int Unread = 512 * 1024;
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig, receiveBuffer: 16 * 1024);
        await pair.Backend.WriteAsync((byte[])[0x82, 127, 0, 0, 0, 0, 0, Unread >> 16, 0, 0, .. new byte[Unread], 0x88, 0]);
        await Wait.UntilAsync(() => pair.Witness.ToClient == Unread + 12);
        await SayAsync(rig, pair);
        await pair.Client.WriteAsync(CloseOfClient);
        Assert.Equal(CloseOfClient, await pair.Backend.ReadExactlyAsync(CloseOfClient.Length));

        var read = 0;
        for (var i = 0; i < 12 && !pair.Witness.Ended.IsCompleted; i++)
        {
            var before = pair.AcknowledgedByReceiver(fromClient: false);
            await Wait.UntilAsync(async () =>
            {
                if (pair.Client.Socket.Available > 0) read += (await pair.Client.ReadExactlyAsync(Math.Min(pair.Client.Socket.Available, 4096))).Length;
                return pair.AcknowledgedByReceiver(fromClient: false) > before;
            });
            await AdvanceAsync(rig, TimeSpan.FromSeconds(10));
        }

        Assert.Equal(EndReason.HandedOff, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.InRange(read, 1, Unread - 1);
    }

    [Fact]
    public async Task Backend_ThatHasSaidItsClose_IsNotWaitedForAgain()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await pair.Backend.WriteAsync((byte[])[0x88, 0]);
        Assert.Equal([0x88, 0], await pair.Client.ReadExactlyAsync(2));
        await SayAsync(rig, pair);

        await AdvanceAsync(rig, CloseTimeout + TimeSpan.FromSeconds(1));

        await pair.Backend.ReadExactlyAsync(Ours.Length + 4);
        Assert.True(await pair.Backend.EndsInOrderAsync());
        Assert.True(await pair.Client.EndsInOrderAsync());
    }

    [Fact]
    public async Task Client_ThatWaitedForABackendThatIsGone_IsReadOn()
    {
        const int More = 64 * 1024 * 1024;
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await pair.Client.WriteAsync((byte[])[0x82, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        await PairRelayTests.FillAsync(rig, pair, pair.Client, seed: 1);
        await SayAsync(rig, pair);
        Assert.Equal(Ours, await pair.Client.ReadExactlyAsync(Ours.Length));

        pair.Backend.Reset();

        for (var sent = 0; sent < More; sent += 1024 * 1024) await pair.Client.WriteAsync(new byte[1024 * 1024]);
        Assert.False(pair.Witness.Ended.IsCompleted);
    }

    // What the backend said before is still for its client, which is slow.
    [Fact]
    public async Task Close_OfAClientWhoseBackendIsGone_IsSeen()
    {
        await using var rig = new RelayRig(mode, time: _time);
        var pair = await JoinAsync(rig);
        await PairRelayTests.FillAsync(rig, pair, pair.Backend, seed: 1);
        pair.Backend.Reset();
        for (var i = 0; i < 3; i++)
        {
            await pair.Client.WriteAsync((byte[])[0x89, 0x80, 0, 0, 0, 0]);
            await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket));
            await rig.TurnAsync();
        }

        await pair.Client.WriteAsync(CloseOfClient);

        await Wait.UntilAsync(() => rig.DoAsync(() => pair.Witness.FromClient.HasClosed));
        Assert.False(pair.Witness.Ended.IsCompleted);
        Assert.InRange(pair.Witness.ToBackend, 0, 18);
    }

    private static async Task SayAsync(RelayRig rig, RelayedPair pair)
        => Assert.True(await rig.DoAsync(() => PairRelay.Of(rig.Reactor).Say(pair.Number, new Goodbye(1012, Text, EndReason.HandedOff, CloseTimeout))));

    private async Task AdvanceAsync(RelayRig rig, TimeSpan time, int steps = 1)
    {
        for (var i = 0; i < steps; i++)
        {
            _time.Advance(time / steps);
            await rig.TurnAsync();
        }
    }

    private static async Task<RelayedPair> JoinAsync(RelayRig rig, int receiveBuffer = 0)
    {
        var pair = await rig.JoinAsync(default, receiveBuffer == 0 ? null : socket => socket.ReceiveBufferSize = receiveBuffer);
        await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
        return pair;
    }

    public sealed class OnEpoll() : RelayGoodbyeTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RelayGoodbyeTests(ReactorMode.IoUring);
}
