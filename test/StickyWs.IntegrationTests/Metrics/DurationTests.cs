using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Metrics;

/// <summary>How long requests and connects took, as exported.</summary>
public sealed class DurationTests : BalancerTest
{
    private const string Get = "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n";

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_request_lasts_until_the_last_byte_of_its_answer(Lane lane)
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
            await release.Task.WaitAsync(Wait.Bound);
            await wire.WriteAsync("k");
        });
        var time = new FakeTimeProvider();
        var balancer = Owned(Balancer.Start(lane, Pool(backend.Address),
            builder => builder.ConfigureServices(services => services.AddSingleton<TimeProvider>(time))));
        using var requests = balancer.Collect<double>("stickyws.request.duration");
        var client = await ConnectAsync(balancer, lane);

        var head = await client.AskAsync(Get);
        Assert.Equal("o", await client.ReadTextAsync(1));
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.Empty(requests.GetMeasurementSnapshot());
        release.SetResult();
        Assert.Equal("k", await client.ReadTextAsync(1));

        Assert.Equal(200, HttpHead.Status(head));
        var request = await OneAsync(requests);
        Assert.Equal(7, request.Value);
        AssertTags(request, ("stickyws.pool", "chat"), ("stickyws.backend", "a"), ("http.response.status_class", "2xx"));
    }

    [Fact]
    public async Task A_request_that_fails_says_why()
    {
        await using var backend = RawBackend.Answering(_ => "");
        var balancer = Start(Lane.Portable, backend.Address);
        using var requests = balancer.Collect<double>("stickyws.request.duration");
        var client = await ConnectAsync(balancer, Lane.Portable);

        Assert.Equal(502, HttpHead.Status(await client.AskAsync("POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n\r\n")));

        AssertTags(await OneAsync(requests), ("stickyws.pool", "chat"), ("stickyws.backend", "a"), ("http.response.status_class", "5xx"),
            ("error.type", "NoAnswer"));
    }

    [Fact]
    public async Task A_request_that_finds_no_backend_names_none()
    {
        var balancer = Start(Lane.Portable, Pool("http://127.0.0.1:1").With("Pools:chat:Backends:a:Enabled", "false"));
        using var requests = balancer.Collect<double>("stickyws.request.duration");
        using var handshakes = balancer.Collect<double>("stickyws.handshake.duration");
        var client = await ConnectAsync(balancer, Lane.Portable);
        Assert.Equal(503, HttpHead.Status(await client.AskAsync(Get)));
        Assert.Equal(503, HttpHead.Status(await (await ConnectAsync(balancer, Lane.Portable)).AskAsync(HttpHead.Handshake())));

        AssertTags(await OneAsync(requests), ("stickyws.pool", "chat"), ("http.response.status_class", "5xx"), ("error.type", "NoneEligible"));
        AssertTags(await OneAsync(handshakes), ("stickyws.pool", "chat"), ("stickyws.lane", "portable"), ("stickyws.handshake.outcome", "NoBackend"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_connect_for_a_handshake_is_timed_in_its_lane(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var dials = balancer.Collect<double>("stickyws.dial.duration");

        await OpenTunnelAsync(balancer, lane, backend);

        var dial = await OneAsync(dials);
        Assert.True(dial.Value > 0);
        AssertTags(dial, ("stickyws.pool", "chat"), ("stickyws.backend", "a"), ("stickyws.lane", lane.Tag()));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_connect_for_a_request_is_timed_once_and_then_kept(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, backends[0].Address);
        using var dials = balancer.Collect<double>("stickyws.dial.duration");
        var client = await ConnectAsync(balancer, lane);

        for (var i = 0; i < 3; i++) await client.ReadBodyAsync(await client.AskAsync(Get));

        var dial = await OneAsync(dials);
        Assert.True(dial.Value > 0);
        AssertTags(dial, ("stickyws.pool", "chat"), ("stickyws.backend", "a"), ("stickyws.lane", lane.Tag()));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_refused_connect_says_so_for_handshakes_and_requests_alike(Lane lane)
    {
        var (held, dead) = Proxying.RawBackend.Dead();
        using var holding = held;
        var balancer = Start(lane, dead.GetLeftPart(UriPartial.Authority));
        using var dials = balancer.Collect<double>("stickyws.dial.duration");

        Assert.Equal(502, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(Get)));
        Assert.Equal(502, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));

        await dials.WaitForMeasurementsAsync(2, Wait.Bound);
        Assert.All(dials.GetMeasurementSnapshot(), dial => AssertTags(
            dial, ("stickyws.pool", "chat"), ("stickyws.backend", "a"), ("stickyws.lane", lane.Tag()), ("error.type", "ConnectionRefused")));
    }

    private static async Task<CollectedMeasurement<double>> OneAsync(MetricCollector<double> collector)
    {
        await collector.WaitForMeasurementsAsync(1, Wait.Bound);
        return Assert.Single(collector.GetMeasurementSnapshot());
    }

    private static void AssertTags(CollectedMeasurement<double> measurement, params (string Key, string Value)[] expected)
        => Assert.Equal(expected.Order(), measurement.Tags.Select(tag => (tag.Key, (string)tag.Value!)).Order());
}
