using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Tests of connections whose TLS ends in the raw lane. On Linux only.</summary>
public abstract class RawTlsTest : BalancerTest
{
    public static TheoryData<Lane> RawTlsLanes { get; } = new(Lane.RawTls, Lane.RawTlsEpoll, Lane.RawTlsKept);

    /// <summary>A balancer with a pool on <c>/chat</c>, and its backend.</summary>
    protected (Balancer Balancer, RawBackend Backend) Start(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var backend = Owned(RawBackend.Opening());
        return (Start(lane, Pool(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat")), backend);
    }

    /// <summary>A client with an open tunnel.</summary>
    private protected static async Task<TlsWire> OpenAsync(Balancer balancer)
    {
        var client = await TlsWire.ConnectAsync(balancer.Address);
        await client.Wire.WriteAsync(HttpHead.Handshake("/chat"));
        Assert.StartsWith("HTTP/1.1 101 ", await client.Wire.ReadHeadAsync(), StringComparison.Ordinal);
        return client;
    }
}
