using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;
using RawBackend = StickyWs.TestKit.RawBackend;

namespace StickyWs.IntegrationTests.Blame;

/// <summary>A client's word is no reason to speak HTTP/2 to a backend that was not seen to speak it.</summary>
public sealed class PriorKnowledgeTests : BalancerTest
{
    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("Application/gRPC; charset=utf-8")]
    [InlineData("application/grpc-web")]
    [InlineData("text/plain")]
    public async Task A_backend_of_http1_is_asked_once_and_served_what_it_speaks(string contentType)
    {
        var backend = Owned(HonestBackend.Start());
        var balancer = Start(Lane.Raw, backend.Address);

        await Parallel.ForAsync(0, 30, async (_, _) =>
        {
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            var answer = await client.AskAsync($"GET /call HTTP/1.1\r\nHost: h\r\nContent-Type: {contentType}\r\n\r\n");
            Assert.Equal(200, HttpHead.Status(answer));
            Assert.Equal("ok", await client.ReadBodyAsync(answer));
        });

        Assert.Equal(30, backend.Heads.Count(head => head.StartsWith("GET /call HTTP/1.1", StringComparison.Ordinal)));
        Assert.Equal(contentType.StartsWith("application/grpc-", StringComparison.Ordinal) || contentType == "text/plain" ? 0 : 1,
            backend.Heads.Count(head => head.StartsWith("PRI", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_backend_that_cannot_be_reached_is_asked_again_by_the_next_call()
    {
        var port = FreePort();
        var balancer = Start(Lane.Raw, $"http://127.0.0.1:{port}");
        Assert.Equal(502, await CallAsync(balancer));
        var seen = new ConcurrentQueue<string>();
        await using var backend = await KestrelBackend.StartAsync(
            context =>
            {
                seen.Enqueue(context.Request.Protocol);
                return Task.CompletedTask;
            },
            HttpProtocols.Http2,
            port);

        Assert.Equal(200, await CallAsync(balancer));

        Assert.Equal(["HTTP/2"], seen);
    }

    private static async Task<int> CallAsync(Balancer balancer)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        return HttpHead.Status(await client.AskAsync("GET /call HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nConnection: close\r\n\r\n"));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [Fact]
    public async Task A_backend_that_says_nothing_to_the_preface_costs_the_connect_time_out_and_is_served()
    {
        var backend = Owned(RawBackend.Start(async (backend, wire) =>
        {
            if ((await backend.TakeHeadAsync(wire)).StartsWith("PRI", StringComparison.Ordinal)) return;
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }));
        var balancer = Start(Lane.Raw, Pool(backend.Address).With("Pools:chat:Timeouts:Connect", "00:00:01"));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        Assert.Equal(200, HttpHead.Status(await client.AskAsync("GET / HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\n\r\n")));
    }
}
