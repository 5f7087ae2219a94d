using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Storms;

/// <summary>Handshakes of backends with limits.</summary>
public sealed class HandshakeTests : StormTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task No_backend_gets_more_handshakes_than_it_takes_and_those_who_wait_are_served_in_order(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "2"));
        List<RawClient> clients = [await KnockAsync(balancer, lane, "/0"), await KnockAsync(balancer, lane, "/1")];
        await Wait.UntilAsync(() => backend.Inside == 2);
        for (var i = 2; i < 7; i++)
        {
            clients.Add(await KnockAsync(balancer, lane, $"/{i}"));
            await Wait.UntilAsync(() => Waiting(balancer) == i - 1);
        }

        for (var i = 2; i < 7; i++)
        {
            backend.Open(1);
            await Wait.UntilAsync(() => backend.Raw.Heads.Count == i + 1);
            Assert.StartsWith($"GET /{i} ", backend.Raw.Heads[i], StringComparison.Ordinal);
        }

        backend.Open();
        foreach (var client in clients) Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        Assert.Equal((2, 0, 7), (backend.Most, Waiting(balancer), balancer.OpenTunnels));
        AssertNothingHeld(balancer);
        for (var i = 0; i < clients.Count; i++) await (await backend.Raw.NextTunnelAsync()).WriteAsync("hello");
        foreach (var client in clients) Assert.Equal("hello", await client.ReadTextAsync(5));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_leaves_makes_room_at_once(Lane lane)
    {
        await using var backend = new GatedBackend();
        var settings = Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1").With("Pools:chat:Queue:Length", "2");
        var balancer = Start(lane, settings);
        var first = await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => backend.Inside == 1);
        var inOrder = await KnockAsync(balancer, lane);
        var broken = await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 2);

        await inOrder.DisposeAsync();
        await Wait.UntilAsync(() => Waiting(balancer) == 1);
        broken.Reset();
        await Wait.UntilAsync(() => Waiting(balancer) == 0);

        var last = await KnockAsync(balancer, lane, "/last");
        await Wait.UntilAsync(() => Waiting(balancer) == 1);
        backend.Open();
        Assert.Equal(101, HttpHead.Status(await first.ReadHeadAsync()));
        Assert.Equal(101, HttpHead.Status(await last.ReadHeadAsync()));
        Assert.Equal(2, backend.Raw.Heads.Count);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task When_the_host_stops_those_who_wait_are_sent_away_at_once(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1").With("Pools:chat:Queue:Timeout", "00:10:00"));
        using var outcomes = balancer.Collect<double>("stickyws.handshake.duration");
        await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => backend.Inside == 1);
        var client = await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 1);

        var stopping = balancer.StopAsync();

        await AssertBusyAsync(client, await client.ReadHeadAsync());
        Assert.Equal(["QueueClosed"], outcomes.GetMeasurementSnapshot().Select(one => one.Tags["stickyws.handshake.outcome"]));
        await client.DisposeAsync();
        backend.Open();
        await stopping;
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task When_too_many_wait_or_one_waits_too_long_it_is_a_503(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1")
            .With("Pools:chat:Queue:Length", "1").With("Pools:chat:Queue:Timeout", "00:00:01"));
        using var outcomes = balancer.Collect<double>("stickyws.handshake.duration");
        using var waits = balancer.Collect<double>("stickyws.queue.duration");
        var first = await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => backend.Inside == 1);
        var second = await KnockAsync(balancer, lane);
        await Wait.UntilAsync(() => Waiting(balancer) == 1);

        var third = await KnockAsync(balancer, lane);
        await AssertBusyAsync(third, await third.ReadHeadAsync());
        await AssertBusyAsync(second, await second.ReadHeadAsync());
        backend.Open();
        Assert.Equal(101, HttpHead.Status(await first.ReadHeadAsync()));

        await Wait.UntilAsync(() => outcomes.GetMeasurementSnapshot().Count == 3);
        Assert.Equal(["QueueFull", "QueueTimedOut", "Opened"], outcomes.GetMeasurementSnapshot().Select(one => one.Tags["stickyws.handshake.outcome"]));
        Assert.Equal(["QueueFull", "QueueTimedOut"], waits.GetMeasurementSnapshot().Select(one => one.Tags["error.type"]));
        Assert.Equal(2, balancer.Log.Lines.Count(line => line.Event == "QueueRefused"));
    }

    [Theory]
    [MemberData(nameof(PlainLanes))]
    [InlineData(Lane.RawTls)]
    public async Task A_limit_that_is_raised_or_removed_lets_those_in_who_wait(Lane lane)
    {
        await using var backend = new GatedBackend();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1"));
        List<RawClient> clients = [];
        for (var i = 0; i < 5; i++) clients.Add(await KnockAsync(balancer, lane));
        await Wait.UntilAsync(() => backend.Inside == 1 && Waiting(balancer) == 4);

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:MaxHandshakes"] = "3");
        await Wait.UntilAsync(() => backend.Inside == 3 && Waiting(balancer) == 2);
        balancer.Settings.Change(data => data.Remove("StickyWs:Pools:chat:Backends:a:MaxHandshakes"));
        await Wait.UntilAsync(() => backend.Inside == 5 && Waiting(balancer) == 0);

        backend.Open();
        foreach (var client in clients) Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        AssertNothingHeld(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_that_declines_or_says_nothing_frees_its_place(Lane lane)
    {
        var answers = 0;
        var backend = Owned(RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            if (Interlocked.Increment(ref answers) % 2 == 0) await wire.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            await wire.DisposeAsync();
        }));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1"));

        List<int> seen = [];
        for (var i = 0; i < 6; i++) seen.Add(HttpHead.Status(await (await KnockAsync(balancer, lane)).ReadHeadAsync()));

        Assert.Equal([502, 403, 502, 403, 502, 403], seen);
        await Wait.UntilAsync(() => balancer.OpenTunnels == 0);
        AssertNothingHeld(balancer);
    }

    [Theory]
    [MemberData(nameof(PlainLanes))]
    [InlineData(Lane.RawTls)]
    public async Task A_rate_spreads_handshakes_that_come_at_once(Lane lane)
    {
        await using var backend = new GatedBackend();
        backend.Open();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Backends:a:HandshakeRate", "20"));
        using var waits = balancer.Collect<double>("stickyws.queue.duration");

        var clients = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => KnockAsync(balancer, lane)));
        foreach (var client in clients) Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));

        // Two may come at once, each further one 50 ms after the one before; who comes while others wait may do so for a moment.
        var waited = waits.GetMeasurementSnapshot();
        Assert.NotEmpty(waited);
        Assert.All(waited, one => Assert.False(one.Tags.ContainsKey("error.type")));
    }
}
