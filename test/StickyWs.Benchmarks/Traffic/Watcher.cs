using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Reads what the dashboard's open page reads, as often as that does with more than 5,000 tunnels (its <c>app.js</c>): a look every two seconds, what has
/// ended and was refused every five, and the events. It gives way to the load on its core.
/// </summary>
internal sealed class Watcher(HttpClient client)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HistoryEvery = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string port)
    {
        Precedence.GiveAway();
        using var client = new HttpClient
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}/stickyws/")),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var watcher = new Watcher(client);
        await watcher.LookAsync(); // So that it is known to work before anything is measured.
        using var stop = new CancellationTokenSource();
        Task[] all = [EveryAsync(LookEvery, watcher.LookAsync, stop.Token), EveryAsync(HistoryEvery, watcher.ReadHistoryAsync, stop.Token),
            watcher.ListenAsync(stop.Token)];
        var served = Commands.ServeAsync("watching", _ => Task.FromResult("?"));
        if (await Task.WhenAny([served, .. all]) is var first && first != served) await first; // Whoever watches no more measures nothing.
        await stop.CancelAsync();
        return 0;
    }

    private async Task LookAsync()
    {
        await ReadAsync("state");
        await Task.WhenAll(ReadAsync("tunnels?sample=500"), ReadAsync("flows"), ReadAsync("drains"));
        await ReadAsync("tunnels?sort=newest&limit=50");
    }

    private Task ReadHistoryAsync() => Task.WhenAll(ReadAsync("ends?limit=100"), ReadAsync("refusals?limit=100"));

    private async Task ListenAsync(CancellationToken stop)
    {
        using var events = await client.GetStreamAsync("events", stop);
        await events.CopyToAsync(Stream.Null, stop);
        throw new EndOfStreamException("The balancer ended the stream of events.");
    }

    private static async Task EveryAsync(TimeSpan time, Func<Task> ask, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(time);
        while (await timer.WaitForNextTickAsync(stop)) await ask();
    }

    private async Task ReadAsync(string path)
    {
        using var answer = await client.GetAsync(path);
        answer.EnsureSuccessStatusCode();
        await answer.Content.CopyToAsync(Stream.Null);
    }
}
