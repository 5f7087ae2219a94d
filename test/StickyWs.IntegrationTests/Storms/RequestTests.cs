using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Storms;

/// <summary>Plain requests, and everything over HTTP/2, to backends with limits.</summary>
public sealed class RequestTests : StormTest
{
    public static TheoryData<Lane> Transports { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.Portable, Lane.InsideTls, Lane.RawTls);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task No_backend_gets_more_requests_than_it_takes_and_those_who_wait_are_served_in_order(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxRequests", "2"));
        List<RawClient> clients = [];
        for (var i = 0; i < 6; i++)
        {
            var client = await ConnectAsync(balancer, lane);
            await client.WriteAsync($"GET /{i} HTTP/1.1\r\nHost: example.test\r\n\r\n");
            clients.Add(client);
            await Wait.UntilAsync(() => backend.Inside == Math.Min(2, i + 1) && Waiting(balancer) == Math.Max(0, i - 1));
        }

        for (var i = 2; i < 6; i++)
        {
            backend.Open(1);
            await Wait.UntilAsync(() => backend.Raw.Heads.Count == i + 1);
            Assert.StartsWith($"GET /{i} ", backend.Raw.Heads[i], StringComparison.Ordinal);
        }

        backend.Open();
        foreach (var client in clients) Assert.Equal(200, HttpHead.Status(await client.ReadHeadAsync()));
        Assert.Equal((2, 0), (backend.Most, Waiting(balancer)));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_client_that_leaves_makes_room_and_when_too_many_wait_or_one_waits_too_long_it_is_a_503(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxRequests", "1")
            .With("Pools:chat:Queue:Length", "1").With("Pools:chat:Queue:Timeout", "00:00:02"));
        using var durations = balancer.Collect<double>("stickyws.request.duration");
        var first = await AskAsync(balancer, lane);
        await Wait.UntilAsync(() => backend.Inside == 1);
        var leaver = await AskAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 1);
        await leaver.DisposeAsync();
        await Wait.UntilAsync(() => Waiting(balancer) == 0);

        var second = await AskAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 1);
        var third = await AskAsync(balancer, lane);

        await AssertBusyAsync(third, await third.ReadHeadAsync());
        await AssertBusyAsync(second, await second.ReadHeadAsync());
        backend.Open();
        Assert.Equal(200, HttpHead.Status(await first.ReadHeadAsync()));
        await Wait.UntilAsync(() => durations.GetMeasurementSnapshot().Count == 4);
        Assert.Equal(
            ["", "ClientGone", "QueueFull", "QueueTimedOut"],
            durations.GetMeasurementSnapshot().Select(one => one.Tags.TryGetValue("error.type", out var type) ? (string)type! : "").Order());
        Assert.Single(backend.Raw.Heads);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task When_the_host_stops_those_who_wait_are_sent_away_at_once(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxRequests", "1").With("Pools:chat:Queue:Timeout", "00:10:00"));
        await AskAsync(balancer, lane);
        await Wait.UntilAsync(() => backend.Inside == 1);
        var client = await AskAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 1);

        var stopping = balancer.StopAsync();

        await AssertBusyAsync(client, await client.ReadHeadAsync());
        backend.Open();
        await stopping;
    }

    [Fact]
    public async Task The_time_of_the_whole_request_goes_on_while_it_waits()
    {
        await using var backend = new GatedBackend();
        var balancer = Start(Lane.Raw, Pool(backend.Address).With("Pools:chat:Backends:a:MaxRequests", "1")
            .With("Pools:chat:Queue:Timeout", "00:10:00").With("Pools:chat:Timeouts:Request", "00:00:00.5"));
        var only = Assert.Single(Assert.Single(balancer.Registry.Current.Pools).Backends);
        Assert.Equal(LeaseResult.Granted, only.TryLease(LeaseKind.Request, int.MaxValue, out var other));

        var client = await AskAsync(balancer, Lane.Raw);

        Assert.Equal(504, HttpHead.Status(await client.ReadHeadAsync()));
        Assert.Empty(backend.Raw.Heads);
        other.Dispose();
    }

    [Fact]
    public async Task Requests_of_one_HTTP2_connection_wait_each_for_themselves()
    {
        await using var backend = new GatedBackend();
        var balancer = Start(Lane.InsideTls, Pool(backend.Address).With("Pools:chat:Backends:a:MaxRequests", "3"));
        using var client = new HttpClient(Handler());
        (client.DefaultRequestVersion, client.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        using var leaving = new CancellationTokenSource();
        var uri = new Uri($"https://{balancer.Address.Authority}/");
        var answers = Enumerable.Range(0, 20).Select(_ => client.GetStringAsync(uri, Wait.Token())).ToArray();
        await Wait.UntilAsync(() => backend.Inside == 3 && Waiting(balancer) == 17);
        var leaver = client.GetStringAsync(uri, leaving.Token);
        await Wait.UntilAsync(() => Waiting(balancer) == 18);

        await leaving.CancelAsync();
        await Wait.UntilAsync(() => Waiting(balancer) == 17);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaver);
        backend.Open();

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal("ok", answer));
        Assert.Equal((3, 20), (backend.Most, backend.Served));
    }

    [Fact]
    public async Task WebSockets_of_one_HTTP2_connection_wait_each_for_themselves()
    {
        await using var backend = new GatedBackend();
        var balancer = Start(Lane.InsideTls, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "2"));
        using var invoker = new HttpMessageInvoker(Handler());
        var sockets = Enumerable.Range(0, 8).Select(_ => new ClientWebSocket
        {
            Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact },
        }).ToArray();
        var uri = new Uri($"wss://{balancer.Address.Authority}/");
        var connecting = sockets.Select(socket => socket.ConnectAsync(uri, invoker, Wait.Token())).ToArray();
        await Wait.UntilAsync(() => backend.Inside == 2 && Waiting(balancer) == 6);

        backend.Open();
        await Task.WhenAll(connecting);

        Assert.Equal((2, 8), (backend.Most, balancer.OpenTunnels));
        AssertNothingHeld(balancer);
        foreach (var socket in sockets) socket.Dispose();
    }

    private static SocketsHttpHandler Handler() => new()
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    };

    private async Task<RawClient> AskAsync(Balancer balancer, Lane lane)
    {
        var client = await ConnectAsync(balancer, lane);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        return client;
    }
}
