using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Sniffing;

public sealed class UntouchedTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Plain_requests_pass_the_sniffer_whole(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, backends[0].Address);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\nPOST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 5\r\n\r\n"
            + "helloGET / HTTP/1.1\r\nHost: example.test\r\n\r\n");

        foreach (var expected in new[] { TestBalancer.AppAnswer, "a", "a" })
        {
            var answer = await client.ReadHeadAsync();
            Assert.Equal(200, HttpHead.Status(answer));
            Assert.Equal(expected, await client.ReadBodyAsync(answer));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HTTP2_passes_with_and_without_TLS(bool isTls)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Owned(Balancer.Start(Pool(backends[0].Address), kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (isTls) listen.UseHttps(TestCertificate.Server);
        })));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        using var client = new HttpClient(handler)
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact
        };

        Assert.Equal("a", await client.GetStringAsync(balancer.Address));
        Assert.Equal(TestBalancer.AppAnswer, await client.GetStringAsync(new Uri(balancer.Address, "app")));
    }
}
