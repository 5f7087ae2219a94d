using System.Text.Json;

namespace StickyWs.Examples.RollingDeploy.Clients;

/// <summary>Many clients of one balancer, of which each says a number every few seconds, and some that make plain requests.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private static readonly TimeSpan BetweenMessages = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenRequests = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BetweenArrivals = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];

    public Noticed Noticed { get; } = new();

    /// <summary>The role "clients": prints what they have noticed, a line of JSON every second and one at the end, until its standard input ends.</summary>
    public static async Task RunAsync(string[] args)
    {
        var settings = new ConfigurationBuilder().AddCommandLine(args).Build();
        await using var crowd = new Crowd();
        await crowd.ArriveAsync(settings["url"]!, settings.GetValue<int>("hubs"), settings.GetValue<int>("sockets"), settings.GetValue<int>("requesters"));
        var end = Task.Run(Console.In.ReadToEnd);
        do
        {
            Console.WriteLine(JsonSerializer.Serialize(crowd.Noticed));
        }
        while (await Task.WhenAny(end, Task.Delay(TimeSpan.FromSeconds(1))) != end);

        await crowd.LeaveAsync();
        Console.WriteLine(JsonSerializer.Serialize(crowd.Noticed));
    }

    public async Task ArriveAsync(string url, int hubs, int sockets, int requesters)
    {
        for (var i = 0; i < requesters; i++) _tasks.Add(UntilStopAsync(() => RequestAsync(url)));
        var clients = Enumerable.Range(0, hubs).Select(IClient (i) => new HubClient(url, $"hub-{i}", Noticed))
            .Concat(Enumerable.Range(0, sockets).Select(i => new SocketClient(url, $"socket-{i}", Noticed)));
        foreach (var client in clients)
        {
            _tasks.Add(UntilStopAsync(() => client.RunAsync(() => Task.Delay(BetweenMessages * (0.5 + Random.Shared.NextDouble()), _stop.Token), _stop.Token)));
            await Task.Delay(BetweenArrivals);
        }

        while (Noticed.Connected < hubs + sockets) await Task.Delay(BetweenRequests);
    }

    public async Task LeaveAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks);
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        _stop.Dispose();
    }

    private async Task RequestAsync(string url)
    {
        using var client = new HttpClient();
        for (; ; await Task.Delay(BetweenRequests, _stop.Token))
        {
            try
            {
                using var response = await client.GetAsync($"{url}/hello", _stop.Token);
                if (response.IsSuccessStatusCode) Noticed.Answered();
                else Noticed.Failed($"GET /hello: {(int)response.StatusCode}");
            }
            catch (HttpRequestException failed)
            {
                Noticed.Failed($"GET /hello: {failed.Message}");
            }
        }
    }

    private async Task UntilStopAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // It is time to stop.
        }
    }
}
