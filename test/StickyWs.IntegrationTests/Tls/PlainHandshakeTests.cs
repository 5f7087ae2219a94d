using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

public sealed class PlainHandshakeTests : BalancerTest
{
    // Otherwise whoever leaves TLS out gets past it.
    [Theory]
    [InlineData(Lane.InsideTls)]
    [InlineData(Lane.SniffedInsideTls)]
    [InlineData(Lane.RawTls)]
    [InlineData(Lane.RawTlsEpoll)]
    public async Task A_plain_handshake_is_not_taken_on_an_https_endpoint(Lane lane)
    {
        var backend = Owned(RawBackend.Opening());
        var balancer = Start(lane, Pool(backend.Address));
        await using var client = await RawClient.ConnectAsync(new UriBuilder(balancer.Address) { Scheme = "http" }.Uri);

        await client.WriteAsync(HttpHead.Handshake());
        await client.WaitForEndAsync();

        Assert.Equal(0, backend.Connections);
    }
}
