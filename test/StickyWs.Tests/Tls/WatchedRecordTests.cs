using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Frames;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tls;

/// <summary>A client within TLS of whose silence there is a limit.</summary>
public sealed class WatchedRecordTests : OwnRecordsTest
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();

    // Until a record is whole, nothing of it can be passed on.
    [Theory]
    [InlineData(ReactorMode.Epoll)]
    [InlineData(ReactorMode.IoUring)]
    public async Task Client_SendsARecordSlowly_IsNotSilent(ReactorMode mode)
    {
        await using var rig = new RelayRig(mode, time: _time);
        var peer = Start();
        var watch = TunnelWatch.For(new TunnelOptions { ClientIdleTimeout = 10 * Second }, new DrainOptions());
        var pair = await rig.JoinAsync(new PairLimits(Idle: 10 * Second, Watch: watch), clientTls: new TlsStart(peer.End, default));
        await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
        var message = OwnPings.Frame(0x81, new byte[100], isMasked: true);
        var record = peer.Sends.Data(message);
        for (var i = 0; i < 20; i++)
        {
            await pair.Client.WriteAsync(record.AsMemory(i, 1));
            await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Client.Socket));
            await rig.TurnAsync();
            _time.Advance(Second);
            await rig.TurnAsync();
        }

        await pair.Client.WriteAsync(record.AsMemory(20));

        Assert.Equal(message, await pair.Backend.ReadExactlyAsync(message.Length));
    }
}
