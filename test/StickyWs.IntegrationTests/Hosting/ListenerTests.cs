using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Hosting;

public sealed class ListenerTests : BalancerTest
{
    [Fact]
    public async Task Every_listener_from_code_is_sniffed()
    {
        var balancer = Owned(Balancer.Start(Settings(), kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(new IPEndPoint(IPAddress.Loopback, 0), listen => listen.Protocols = HttpProtocols.Http1);
        }));

        Assert.Equal(2, balancer.Addresses.Count);
        await AssertSniffsAsync(balancer);
    }

    [Fact]
    public async Task Every_listener_from_URLs_is_sniffed()
        => await AssertSniffsAsync(Owned(Balancer.Start(Settings(), kestrel: null, builder => builder.UseUrls("http://127.0.0.1:0"))));

    [Fact]
    public async Task Every_listener_from_configuration_is_sniffed()
        => await AssertSniffsAsync(Owned(Balancer.Start(Settings(), kestrel: null,
            builder => builder.UseSetting("Kestrel:Endpoints:One:Url", "http://127.0.0.1:0"))));

    [Fact]
    public void Use_without_Add_says_what_to_add()
    {
        using var app = WebApplication.CreateSlimBuilder().Build();

        var e = Assert.Throws<InvalidOperationException>(() => app.UseStickyWebSocketBalancing());

        Assert.Contains("builder.AddStickyWebSocketBalancing()", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_request_that_fits_no_pool_stays_with_the_application(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, Pool(backends[0].Address).With("Pools:chat:Match:PathPrefixes:0", "/chat"));
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(404, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/elsewhere"))));
        Assert.Equal(404, HttpHead.Status(await client.AskAsync("GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")));
        Assert.Equal(200, HttpHead.Status(await client.AskAsync("GET /chat/room HTTP/1.1\r\nHost: a\r\n\r\n")));
    }

    [Fact]
    public async Task A_start_with_bad_configuration_names_every_error()
    {
        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration)
            .Add(new LiveSettings().WithPool("chat", "ftp://x").With("Pools:chat:Backends:a:Weight", "0").With("HeadDeadline", "soon"));
        builder.AddStickyWebSocketBalancing();
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => app.StartAsync(Wait.Token()));

        Assert.All(["StickyWs:Pools:chat:Backends:a:Address", "StickyWs:Pools:chat:Backends:a:Weight", "StickyWs:HeadDeadline"], key
            => Assert.Contains(failure.Failures, text => text.Contains(key, StringComparison.Ordinal)));
    }

    private static LiveSettings Settings() => Pool("http://127.0.0.1:1").With("HeadDeadline", "00:00:00.2");

    // Kestrel alone would be patient for 30 seconds.
    private static async Task AssertSniffsAsync(Balancer balancer)
    {
        foreach (var address in balancer.Addresses)
        {
            await using var client = await RawClient.ConnectAsync(address);
            Assert.Equal(408, HttpHead.Status(await client.AskAsync("GET / HTTP/1.1\r\nHost: a\r\n")));
        }
    }
}
