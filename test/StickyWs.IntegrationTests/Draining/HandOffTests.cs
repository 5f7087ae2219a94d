using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Draining;

/// <summary>A backend is emptied by an order or by the configuration, while others serve.</summary>
public sealed class HandOffTests : DrainingTest
{
    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Its_tunnels_end_and_new_clients_go_elsewhere(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        await using var other = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, Impatient(TrustingPool(backend.Address, other.Address)).With("Pools:chat:Drain:Over", "00:00:00"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        var draining = ControlOf(balancer).HandOffAsync(A, cancellationToken: Wait.Token());
        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));
        var status = Assert.Single(await draining);

        Assert.Equal((DrainOutcome.Empty, 1, 0), (status.Outcome, status.Total, status.Left));
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal(["HandedOff"], balancer.EndReasons);
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "TunnelLine"));
        Assert.Equal(1012, balancer.Log.Lines.Single(line => line.Event == "TunnelLine").Fields["OwnCloseCode"]);
        await OpenTunnelAsync(balancer, lane, other);
        await OpenTunnelAsync(balancer, lane, other);
        Assert.Contains(balancer.Log.Lines, line => line.Text == "Backend chat/a is empty");
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_pinned_client_is_moved_and_its_new_backend_is_told(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        await using var other = RawBackend.Opening();
        var balancer = Start(lane, Impatient(Pool(backend.Address, other.Address)).With("Pools:chat:Affinity:Rules:0:Cookie", ""));
        var cookie = CookieOf(await ShakeAsync(balancer, lane));
        await SeeOutAsync(await backend.NextTunnelAsync());
        await balancer.AssertNoLeasesAsync();

        await ControlOf(balancer).HandOffAsync(A, cancellationToken: Wait.Token());
        var moved = await ShakeAsync(balancer, lane, Sends(cookie));
        await SeeOutAsync(await other.NextTunnelAsync());

        Assert.Contains("StickyWs-Moved-From: a\r\n", Assert.Single(other.Heads), StringComparison.Ordinal);
        Assert.Equal(101, HttpHead.Status(await ShakeAsync(balancer, lane, Sends(CookieOf(moved)))));
        Assert.DoesNotContain("StickyWs-Moved-From", other.Heads[1], StringComparison.Ordinal);
        await SeeOutAsync(await other.NextTunnelAsync());
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task Stopped_by_an_order_it_takes_its_own_clients_and_no_others(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(2)).With("Pools:chat:Affinity:Rules:0:Cookie", ""));
        var cookie = CookieOf(await ShakeAsync(balancer, lane));
        await balancer.AssertNoLeasesAsync();

        await ControlOf(balancer).StopAsync(A, Wait.Token());

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("a", await ReachAsync(balancer, lane, Sends(cookie)));
            Assert.Equal("a", BackendOf(await GetAsync(balancer, Sends(cookie))));
            Assert.Equal("b", await ReachAsync(balancer, lane));
            Assert.Equal("b", BackendOf(await GetAsync(balancer)));
        }

        ControlOf(balancer).Undrain(A);
        Assert.Contains("a", new[] { await ReachAsync(balancer, lane), await ReachAsync(balancer, lane) });
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Cut_it_has_no_tunnel_left(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        var status = Assert.Single(await ControlOf(balancer).CutAsync(A, Wait.Token()));

        Assert.Equal((DrainOutcome.Cut, 1), (status.Outcome, status.Cut));
        await client.WaitForEndAsync();
        await server.WaitForEndAsync();
        Assert.Equal(["Cut"], balancer.EndReasons);
        Assert.Contains(balancer.Log.Lines, line => line.Text == "Backend chat/a was cut with 1 left");
        Assert.Equal(503, HttpHead.Status(await ShakeAsync(balancer, lane)));
    }

    [Theory]
    [InlineData("HandOff", "HandedOff")]
    [InlineData("Cut", "Cut")]
    public async Task By_the_configuration_it_goes_as_by_an_order(string mode, string reason)
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(Lane.Raw, Impatient(PoolOf(backends)).With("Pools:chat:Drain:Over", "00:00:01"));
        var clients = await OpenAsync(balancer, Lane.Raw, 20);

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Mode"] = mode);
        var ends = clients.Select(SeeOutAsync).ToArray();
        await Wait.UntilAsync(() => CountOf(balancer, reason) == 10);

        Assert.Equal((10, 10), (ends.Count(end => !end.IsCompleted), TunnelsOf(balancer, "b")));
        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Mode"] = "On");
        Assert.Contains("a", new[] { await ReachAsync(balancer, Lane.Raw), await ReachAsync(balancer, Lane.Raw) });
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Undrained_in_the_middle_it_serves_on(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Drain:Over", "1.00:00:00").With("Pools:chat:Drain:Deadline", "none"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var draining = ControlOf(balancer).HandOffAsync(A, cancellationToken: Wait.Token());
        Assert.Equal(503, HttpHead.Status(await ShakeAsync(balancer, lane)));

        ControlOf(balancer).Undrain(A);

        Assert.Equal((DrainOutcome.Undrained, 1), (Assert.Single(await draining).Outcome, Assert.Single(await draining).Left));
        await OpenTunnelAsync(balancer, lane, backend);
        await client.WriteAsync("still");
        Assert.Equal("still", await server.ReadTextAsync(5));
    }

    [Theory]
    [MemberData(nameof(PlainLanes))]
    [InlineData(Lane.RawTls)]
    public async Task The_longest_idle_goes_first(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Impatient(Pool(backend.Address)).With("Pools:chat:Drain:Over", "00:00:02"));
        var (idle, _) = await OpenTunnelAsync(balancer, lane, backend);
        var (busy, busyServer) = await OpenTunnelAsync(balancer, lane, backend);
        await Task.Delay(TimeSpan.FromMilliseconds(100)); // For no condition: the difference that is to be seen.
        await busy.WriteAsync("busy");
        Assert.Equal("busy", await busyServer.ReadTextAsync(4));

        _ = ControlOf(balancer).HandOffAsync(A);
        Task<string>[] words = [busy.ReadTextAsync(1), idle.ReadTextAsync(1)]; // The Close: the ends may come together.

        Assert.Same(words[1], await Task.WhenAny(words));
        Assert.All(await Task.WhenAll(words), word => Assert.Equal("\u0088", word));
        await SeeOutAsync(busy);
        await SeeOutAsync(idle);
    }

    // One that was told answers only after the last reload: so all of them are in the middle, however slow the machine is.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_hundred_reloads_in_the_middle_lose_nothing(Lane lane)
    {
        const int half = 500;
        var backends = await StartEchoesAsync(2);
        var settings = PoolOf(backends).With("Pools:chat:Drain:Over", "00:00:03").With("Pools:chat:Drain:CloseTimeout", "00:00:30");
        var balancer = Start(lane, settings);
        var clients = await OpenAsync(balancer, lane, 2 * half); // They take turns.
        var (going, staying) = (clients.Where((_, i) => i % 2 == 0), clients.Where((_, i) => i % 2 == 1).ToArray());
        var mayEnd = new TaskCompletionSource();
        var ends = going.Select((client, i) => CloseAsync(client, i == 0 ? mayEnd.Task : Task.CompletedTask)).ToArray();
        var draining = ControlOf(balancer).HandOffAsync(A, cancellationToken: Wait.Token());

        for (var reload = 0; reload < 100; reload++)
        {
            await Wait.UntilAsync(() => ends.Count(end => end.IsCompletedSuccessfully) >= (half - 1) * reload / 100);
            await ReloadAsync(balancer, TimeSpan.FromSeconds(1 + reload));
            await EchoAsync(staying[reload]);
        }

        Assert.False(draining.IsCompleted);
        mayEnd.SetResult();
        var status = Assert.Single(await draining);
        Assert.All(await Task.WhenAll(ends), code => Assert.Equal(1012, code));
        Assert.Equal(
            (DrainOutcome.Empty, half, half, 0, 0, 0), (status.Outcome, status.Total, status.Told, status.Cut, status.Left, TunnelsOf(balancer, "a")));
        await Wait.UntilAsync(() => balancer.EndReasons.Count == half);
        Assert.Equal((half, half), (CountOf(balancer, "HandedOff"), TunnelsOf(balancer, "b")));
        foreach (var client in staying) await EchoAsync(client);
        Assert.Single(balancer.Log.Lines, line => line.Event == "HandOffBegun");
        Assert.Single(balancer.Log.Lines, line => line.Event == "BackendEmpty");

        static async Task<int> CloseAsync(Wire client, Task mayAnswer)
        {
            var head = await client.ReadExactlyAsync(2);
            Assert.Equal(0x88, head[0]);
            var payload = await client.ReadExactlyAsync(head[1]);
            await mayAnswer;
            await client.WriteAsync(Tunnels.Frames.OfClient(0x88, payload));
            Assert.True(await client.EndsInOrderAsync(), "The client's connection was broken.");
            await client.DisposeAsync();
            return (payload[0] << 8) | payload[1];
        }
    }

    // Each is told in its turn, and none is forgotten, cut, or ended otherwise.
    [Theory]
    [InlineData(Lane.Raw, 2000)]
    [InlineData(Lane.Portable, 1000)]
    public async Task Thousands_are_told_one_by_one(Lane lane, int count)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, Impatient(PoolOf(backends)).With("Pools:chat:Drain:Over", "00:00:05"));
        var ends = (await OpenAsync(balancer, lane, count)).Select(SeeOutAsync).ToArray();

        var draining = ControlOf(balancer).HandOffAsync(A, cancellationToken: Wait.Token());
        var status = Assert.Single(await draining);
        await Task.WhenAll(ends).WaitAsync(Wait.Bound);
        Assert.Equal((DrainOutcome.Empty, count, count, 0, 0), (status.Outcome, status.Total, status.Told, status.Cut, status.Left));
        await Wait.UntilAsync(() => balancer.EndReasons.Count == count);
        Assert.Equal(count, CountOf(balancer, "HandedOff"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Removed_in_the_middle_or_by_the_removal_it_is_emptied(bool isHandedOffBefore)
    {
        var backends = await StartEchoesAsync(2);
        var settings = Impatient(PoolOf(backends)).With("Pools:chat:Drain:Over", "00:00:01");
        if (!isHandedOffBefore) settings.With("Pools:chat:Drain:WhenRemoved", "HandOff");
        var balancer = Start(Lane.Raw, settings);
        var ends = (await OpenAsync(balancer, Lane.Raw, 60)).Select(SeeOutAsync).ToArray();
        var gone = balancer.Registry.Current.Pools.Single().Backends[0];

        if (isHandedOffBefore) _ = ControlOf(balancer).HandOffAsync(A);
        balancer.Settings.Change(data => data.Remove("StickyWs:Pools:chat:Backends:a:Address"));
        await Wait.UntilAsync(() => CountOf(balancer, "HandedOff") == 30);

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Text == "Backend chat/a is empty"));
        Assert.Equal((0, 30), (gone.ActiveTunnels, ends.Count(end => !end.IsCompleted)));
        await Wait.UntilAsync(() => ControlOf(balancer).Read().Count == 0);
    }

    [Fact]
    public async Task A_request_under_way_ends_by_itself()
    {
        var (asked, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var backend = Owned(await EchoBackend.StartAsync("a", configure: app => app.Map("/slow", async context =>
        {
            asked.SetResult();
            await mayAnswer.Task.WaitAsync(Wait.Bound);
            await context.Response.WriteAsync("late");
        })));
        var balancer = Start(Lane.Raw, Pool(backend.Address));
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        await client.WriteAsync("GET /slow HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await asked.Task.WaitAsync(Wait.Bound);

        var draining = ControlOf(balancer).CutAsync(A, Wait.Token());
        Assert.Equal(1, Assert.Single(ControlOf(balancer).Read()).Requests);
        Assert.Equal(503, HttpHead.Status(await GetAsync(balancer)));
        Assert.False(draining.IsCompleted);
        mayAnswer.SetResult();

        var head = await client.ReadHeadAsync();
        Assert.Equal((200, "late"), (HttpHead.Status(head), await client.ReadBodyAsync(head)));
        Assert.Equal(DrainOutcome.Empty, Assert.Single(await draining).Outcome);
    }

    [Fact]
    public async Task Whoever_watches_is_told()
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(Lane.Raw, Pool(backend.Address));
        await OpenTunnelAsync(balancer, Lane.Raw, backend);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        await using var watch = state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await watch.MoveNextAsync();

        _ = ControlOf(balancer).CutAsync(A);
        List<StateChange> changes = [];
        while (changes is not [.., BackendDrained])
        {
            Assert.True(await watch.MoveNextAsync());
            changes.Add(watch.Current);
        }

        Assert.Equal(BackendMode.Cut, Assert.Single(changes.OfType<BackendChanged>()).Backend.Mode);
        Assert.Equal((DrainOutcome.Cut, 1), (((BackendDrained)changes[^1]).Drain.Outcome, ((BackendDrained)changes[^1]).Drain.Cut));
    }
}
