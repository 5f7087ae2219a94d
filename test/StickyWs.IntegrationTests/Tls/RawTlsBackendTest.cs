using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Tests of tunnels in the raw lane to backends with TLS. On Linux only.</summary>
public abstract class RawTlsBackendTest : BalancerTest
{
    private readonly Channel<TlsPeer> _peers = Channel.CreateUnbounded<TlsPeer>();

    /// <summary>A backend that opens a tunnel by what <paramref name="answer"/> sends in place of the 101, and leaves it to the test.</summary>
    private protected RawBackend StartPeers(TlsServerSettings? settings = null, Func<TlsPeer, string, byte[]>? answer = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var context = TlsServerContext.Create(settings ?? Settings());
        var all = OwnedClient(new Peers());
        return OwnedClient(RawBackend.Start(async (backend, wire) =>
        {
            var peer = all.Add(new TlsPeer(wire, context));
            var switching = HttpHead.SwitchingProtocols(await peer.ReadHeadAsync());
            await wire.WriteAsync(answer?.Invoke(peer, switching) ?? peer.Seal(System.Text.Encoding.Latin1.GetBytes(switching)));
            _peers.Writer.TryWrite(peer);
        }));
    }

    private protected static TlsServerSettings Settings(X509Certificate2? certificate = null) => new() { Certificate = certificate ?? TestCertificate.Server };

    private protected static string Https(RawBackend backend) => $"https://127.0.0.1:{backend.Port}";

    /// <summary>A tunnel to such a backend.</summary>
    private protected async Task<(Balancer Balancer, RawClient Client, TlsPeer Server)> OpenAsync(
        Lane lane, TlsServerSettings? settings = null, Func<TlsPeer, string, byte[]>? answer = null)
    {
        var backend = StartPeers(settings, answer);
        var balancer = Start(lane, TrustingPool(Https(backend)));
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        return (balancer, client, await NextPeerAsync());
    }

    /// <summary>The backend's end of the tunnel that was opened next.</summary>
    private protected async Task<TlsPeer> NextPeerAsync() => await _peers.Reader.ReadAsync(Wait.Token());

    private protected static async Task EndsWithAsync(Balancer balancer, string reason)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([reason], balancer.EndReasons);
    }

    // Their secrets are the process's, which other tests count.
    private sealed class Peers : IAsyncDisposable
    {
        private readonly ConcurrentBag<TlsPeer> _all = [];

        public TlsPeer Add(TlsPeer peer)
        {
            _all.Add(peer);
            return peer;
        }

        public ValueTask DisposeAsync()
        {
            foreach (var peer in _all) peer.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
