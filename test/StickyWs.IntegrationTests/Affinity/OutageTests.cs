using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;
using StickyWs.TestKit.Redis;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>
/// The shared store dies and comes back while clients come and go through two instances, each client through one of them, as a balancer of
/// connections in front would have it.
/// </summary>
public sealed class OutageTests : BalancerTest
{
    private const int Workers = 8;
    private const int RoundsPerPhase = 40;

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_store_that_is_killed_under_load_costs_no_client_an_error_and_heals_when_it_is_back(HttpTransportType transport)
    {
        using var redis = PinServer.Start();
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c")) };
        Balancer[] balancers = [StartSharing(redis, backends), StartSharing(redis, backends)];
        var (rounds, errors) = (0, new ConcurrentQueue<Exception>());
        using var stop = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await TalkAsync(transport, () => balancers[worker % 2].Address);
                }
                catch (Exception e)
                {
                    errors.Enqueue(e);
                }

                Interlocked.Increment(ref rounds);
            }
        })));

        await MoreRoundsAsync();
        redis.Stop();
        await MoreRoundsAsync();
        Assert.All(balancers, balancer => Assert.Single(balancer.Log.Lines, line => line.Event == "PinStoreLost"));
        redis.Start();
        foreach (var balancer in balancers) await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "PinStoreBack"));
        await MoreRoundsAsync();
        await stop.CancelAsync();
        await load;
        Assert.Empty(errors);

        // Healed: now every request goes to the other instance than the one before.
        var turn = 0;
        for (var i = 0; i < 10; i++) await TalkAsync(transport, () => balancers[turn++ % 2].Address);

        Task MoreRoundsAsync()
        {
            var before = Volatile.Read(ref rounds);
            return Wait.UntilAsync(() => Volatile.Read(ref rounds) >= before + RoundsPerPhase);
        }
    }

    private Balancer StartSharing(PinServer redis, EchoBackend[] backends)
    {
        var settings = Pool([.. backends.Select(backend => backend.Address)]).With("Pools:chat:Affinity:Rules:0:SignalR", "")
            .With("Pins:StoreTimeout", "00:00:05");
        return Owned(Balancer.Start(Lane.Raw, settings,
            host => host.ConfigureServices(services => services.AddStickyWebSocketRedis(options => options.Configuration = redis.Address))));
    }

    private static async Task TalkAsync(HttpTransportType transport, Func<Uri> balancer)
    {
        await using var connection = HubBackend.Connect(transport, balancer);
        await connection.StartAsync(Wait.Token());
        var first = await connection.InvokeAsync<string>("Name", Wait.Token());
        for (var i = 0; i < 3; i++) Assert.Equal(first, await connection.InvokeAsync<string>("Name", Wait.Token()));
        await connection.StopAsync(Wait.Token());
    }
}
