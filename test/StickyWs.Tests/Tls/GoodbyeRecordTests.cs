using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tls;

/// <summary>What a client within TLS says ends its goodbye, and the record after it breaks TLS.</summary>
public sealed class GoodbyeRecordTests : OwnRecordsTest
{
    // More than its kernel takes for a client that does not read, so that the pair drains.
    private const int Unread = 512 * 1024;

    private static readonly byte[] ReservedOpcode = [0x83, 0x80, 0, 0, 0, 0];
    private static readonly byte[] Close = [0x88, 0x82, 0, 0, 0, 0, 3, 0xF4];

    private readonly FakeTimeProvider _time = new();

    public static TheoryData<ReactorMode, bool> Ends { get; }
        = new MatrixTheoryData<ReactorMode, bool>([ReactorMode.Epoll, ReactorMode.IoUring], [true, false]);

    // Whoever waits for the client's Close alone still takes it in pieces.
    [Theory]
    [InlineData(ReactorMode.Epoll, false)]
    [InlineData(ReactorMode.Epoll, true)]
    [InlineData(ReactorMode.IoUring, false)]
    [InlineData(ReactorMode.IoUring, true)]
    public async Task HalfARecord_InAGoodbyeWhoseBackendIsGone_WaitsForItsRest(ReactorMode mode, bool isWatched)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var peer = Start();
        var watch = isWatched ? TunnelWatch.For(new TunnelOptions { ClientIdleTimeout = TimeSpan.FromMinutes(1) }, new DrainOptions()) : null;
        var pair = await rig.JoinAsync(new PairLimits(Watch: watch), clientTls: new TlsStart(peer.End, default));
        await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
        Assert.True(await rig.DoAsync(() => PairRelay.Of(rig.Reactor).Say(pair.Number, new Goodbye(1012, "", EndReason.HandedOff, TimeSpan.FromSeconds(10)))));
        byte[] told = [0x88, 2, 3, 0xF4];
        Assert.Equal(told, Assert.Single(peer.Reads.Open(await pair.Client.ReadExactlyAsync(RecordLength(told)))).Content);
        pair.Backend.Reset();
        await Wait.UntilAsync(async () => await rig.DoAsync(() => PairRelay.Of(rig.Reactor).AddressesToBackend(pair.Number).Remote is null));

        var last = peer.Sends.Data(Close);
        await pair.Client.WriteAsync(last.AsMemory(..^1));
        await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket));
        await rig.TurnAsync();
        Assert.False(pair.Witness.Ended.IsCompleted);
        await pair.Client.WriteAsync(last.AsMemory(^1..));

        Assert.Equal(Alert, Assert.Single(peer.Reads.Open(await pair.Client.ReadToEndAsync())).Type);
        pair.Client.Reset();
        Assert.Equal(EndReason.HandedOff, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    // The pair then drains already, and must not begin again: its number would be looked at when it is another's.
    [Theory]
    [MemberData(nameof(Ends))]
    public async Task BadRecord_BehindTheEndOfAGoodbye_EndsThePairOnce(ReactorMode mode, bool isByFrame)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var peer = Start();
        var pair = await rig.JoinAsync(default, static outer => outer.ReceiveBufferSize = 16 * 1024, new TlsStart(peer.End, default));
        await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
        await pair.Backend.WriteAsync((byte[])[0x82, 127, 0, 0, 0, 0, 0, Unread >> 16, 0, 0, .. new byte[Unread]]);
        if (!isByFrame) await pair.Backend.WriteAsync((byte[])[0x88, 0]);
        await Wait.UntilAsync(() => pair.Witness.ToClient == Unread + (isByFrame ? 10 : 12));
        Assert.True(await rig.DoAsync(() => PairRelay.Of(rig.Reactor).Say(pair.Number, new Goodbye(1012, "", EndReason.HandedOff, TimeSpan.FromSeconds(10)))));

        var last = peer.Sends.Data(isByFrame ? ReservedOpcode : Close);
        var bad = peer.Sends.Data("x"u8);
        bad[^1] ^= 1;
        await pair.Client.WriteAsync(Join(last, bad));
        Assert.Equal(isByFrame ? ReservedOpcode : Close, await pair.Backend.ReadExactlyAsync(isByFrame ? 6 : 8));
        await rig.TurnAsync();
        pair.Client.Reset();
        await pair.Backend.DisposeAsync();
        Assert.Equal(EndReason.HandedOff, await pair.Witness.Ended.WaitAsync(Wait.Bound));

        RelayedPair[] others = [await rig.JoinAsync(), await rig.JoinAsync()];
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await rig.TurnAsync();
        }

        foreach (var other in others)
        {
            await other.Client.WriteAsync("still here");
            Assert.Equal("still here", await other.Backend.ReadTextAsync(10));
        }

        Assert.NotEqual(others[0].Number, others[1].Number);
    }

    private static int RecordLength(byte[] content) => 5 + content.Length + 1 + 16;
}
