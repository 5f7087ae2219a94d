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
