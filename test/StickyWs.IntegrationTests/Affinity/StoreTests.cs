using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The shared store is slow, broken or silent: that costs nobody an answer.</summary>
public sealed class StoreTests : AffinityTest
{
    private const string Rules = "Pools:chat:Affinity:Rules:";

    public static TheoryData<StoreFault> Outages { get; } = new(StoreFault.Failing, StoreFault.Hanging);

    public static MatrixTheoryData<StoreFault, HttpTransportType> OutagesAndTransports { get; } = new(
        [StoreFault.Failing, StoreFault.Hanging], [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling]);

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task Without_it_requests_and_cookies_go_on_and_one_warning_says_so(StoreFault fault)
    {
        var pins = new MemoryPins { Fault = fault };
        var backends = await StartSessionsAsync();
        var key = RandomKey();
        var instances = Instances(pins, () => PoolOf(backends).With(Rules + "0:Learn:Cookie", "session").With(Rules + "1:Cookie:Keys:0", key));

        for (var i = 0; i < 20; i++)
        {
            var login = i % 2 == 0 ? await GetAsync(instances[0], target: "/login") : await ShakeAsync(instances[0], Lane.Raw, target: "/login");
            Assert.InRange(HttpHead.Status(login), 101, 200);
            Assert.Equal(BackendOf(login), BackendOf(await GetAsync(instances[0], Sends(CookieOf(login, "session")))));
            Assert.Equal(BackendOf(login), await ReachAsync(instances[0], Lane.Raw, Sends(CookieOf(login, "session"))));
            foreach (var instance in instances) Assert.Equal(BackendOf(login), await ReachAsync(instance, Lane.Raw, Sends(CookieOf(login))));
        }

        Assert.Single(instances[0].Log.Lines, line => line is { Level: LogLevel.Warning, Event: "PinStoreLost" });
        Assert.DoesNotContain(instances[0].Log.Lines, line => line.Event == "PinStoreBack");
        Assert.Empty(pins.Pins);
    }

    [Theory]
    [MemberData(nameof(OutagesAndTransports))]
    public async Task Without_it_SignalR_goes_on_within_an_instance_and_by_addresses_even_across(StoreFault fault, HttpTransportType transport)
    {
        var pins = new MemoryPins { Fault = fault };
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c")) };
        var instances = Instances(pins, () => PoolOf(backends).With(Rules + "0:SignalR", ""));

        for (var i = 0; i < 10; i++) await ConnectAsync(() => instances[0].Address);
        for (var i = 0; i < 10; i++) await ConnectAsync(() => instances[1].Address);
        Assert.All(instances, instance => Assert.Single(instance.Log.Lines, line => line.Event == "PinStoreLost"));
        var turn = 0;
        for (var i = 0; i < 10; i++) await ConnectAsync(() => instances[Interlocked.Increment(ref turn) % 2].Address);

        async Task ConnectAsync(Func<Uri> balancer)
        {
            await using var connection = HubBackend.Connect(transport, balancer);
            await connection.StartAsync(Wait.Token());
            var name = await connection.InvokeAsync<string>("Name", Wait.Token());
            Assert.Equal(name, await connection.InvokeAsync<string>("Name", Wait.Token()));
            await connection.StopAsync(Wait.Token());
        }
    }

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task When_it_is_back_one_line_says_so_and_what_was_pinned_meanwhile_is_shared_with_its_next_use(StoreFault fault)
    {
        var pins = new MemoryPins();
        var backends = await StartSessionsAsync();
        var instances = Instances(pins, () => PoolOf(backends).With(Rules + "0:Learn:Cookie", "session"));
        var before = new List<string>();
        for (var i = 0; i < 6; i++) before.Add(await GetAsync(instances[0], target: "/login"));
        Assert.Equal(3, before.DistinctBy(BackendOf).Count());
        Assert.Equal(6, pins.Pins.Count);

        pins.Fault = fault;
        var meanwhile = new List<string>();
        while (!instances[0].Log.Lines.Any(line => line.Event == "PinStoreLost")) await GetAsync(instances[0], target: "/login");
        for (var i = 0; i < 6; i++) meanwhile.Add(await GetAsync(instances[0], target: "/login"));
        Assert.Equal(6, pins.Pins.Count);

        // It comes back with nothing in it, as one does that was started anew.
        pins.Clear();
        pins.Fault = StoreFault.None;
        var inTime = Wait.Token();
        while (!instances[0].Log.Lines.Any(line => line.Event == "PinStoreBack"))
        {
            inTime.ThrowIfCancellationRequested();
            await GetAsync(instances[0], target: "/login");
        }

        foreach (var login in before.Concat(meanwhile))
        {
            var held = pins.Pins.Count;
            Assert.Equal(BackendOf(login), BackendOf(await GetAsync(instances[0], Sends(CookieOf(login, "session")))));
            await Wait.UntilAsync(() => pins.Pins.Count > held);
        }

        foreach (var login in before.Concat(meanwhile))
        {
            for (var i = 0; i < 3; i++) Assert.Equal(BackendOf(login), await ReachAsync(instances[1], Lane.Raw, Sends(CookieOf(login, "session"))));
        }

        Assert.Single(instances[0].Log.Lines, line => line is { Level: LogLevel.Warning, Event: "PinStoreLost" });
        Assert.Single(instances[0].Log.Lines, line => line is { Level: LogLevel.Information, Event: "PinStoreBack" });
    }

    [Fact]
    public async Task A_slow_one_is_waited_for_and_every_instance_finds_every_pin()
    {
        var pins = new MemoryPins { Fault = StoreFault.Slow, IsSilent = true };
        var backends = await StartSessionsAsync();
        var instances = Instances(pins, () => PoolOf(backends).With(Rules + "0:Learn:Cookie", "session").With("Pins:StoreTimeout", "00:00:05"));

        for (var i = 0; i < 12; i++)
        {
            var login = await GetAsync(instances[i % 2], target: "/login");
            for (var j = 0; j < 2; j++) Assert.Equal(BackendOf(login), await ReachAsync(instances[(i + 1) % 2], Lane.Raw, Sends(CookieOf(login, "session"))));
        }

        Assert.All(instances, instance => Assert.DoesNotContain(instance.Log.Lines, line => line.Event == "PinStoreLost"));
    }

    [Fact]
    public async Task What_another_instance_tells_of_need_not_be_asked_for()
    {
        var pins = new MemoryPins();
        var backends = await StartSessionsAsync();
        var instances = Instances(pins, () => PoolOf(backends).With(Rules + "0:Learn:Cookie", "session"));

        for (var i = 0; i < 6; i++)
        {
            var login = await GetAsync(instances[0], target: "/login");
            var calls = pins.Calls;
            for (var j = 0; j < 2; j++) Assert.Equal(BackendOf(login), await ReachAsync(instances[1], Lane.Raw, Sends(CookieOf(login, "session"))));
            Assert.Equal(calls, pins.Calls);
        }
    }

    private Balancer[] Instances(MemoryPins pins, Func<LiveSettings> settings)
        => [.. Enumerable.Range(0, 2).Select(_ => Start(Lane.Raw, settings(), SharedStore.Of(pins).AddTo))];

    private Task<StatefulBackend[]> StartSessionsAsync() => StartStatefulAsync(3, context =>
    {
        if (context.Request.Path == "/login") context.Response.Headers.Append("Set-Cookie", $"session={Guid.NewGuid()}");
        return Task.CompletedTask;
    });
}
