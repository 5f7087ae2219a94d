using System.Diagnostics;
using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>One contestant at work: its balancer and the clients before it.</summary>
internal sealed class Bout(Contestant contestant, Balancer balancer, Child load) : IDisposable
{
    private static readonly TimeSpan Stretch = TimeSpan.FromSeconds(0.5);

    public Contestant Contestant => contestant;

    public Balancer Balancer => balancer;

    /// <summary>The same balancer with further clients before it. It is not to be disposed of: who made the two does that.</summary>
    public Bout With(Child clients) => new(contestant, balancer, clients);

    /// <summary>Has the load do something; <c>{port}</c> is the balancer's, <c>{seconds}</c> the duration.</summary>
    public Task<string> DoAsync(string command, TimeSpan duration = default)
        => load.AskAsync(command
            .Replace("{port}", balancer.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{seconds}", duration.TotalSeconds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    /// <summary>
    /// Has the load work, with pauses: the runtime puts off compiling for good while it is busy, and on one full core it stays busy for half a minute.
    /// </summary>
    public async Task WarmUpAsync(string command, TimeSpan duration)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration; await Task.Delay(Stretch)) await DoAsync(command, Stretch);
    }

    /// <summary>Has the load work for a while and says what that cost.</summary>
    public async Task<Cost> MeasureAsync(string command, TimeSpan duration)
    {
        var before = Usage.Now(balancer);
        var units = double.Parse(await DoAsync(command, duration), CultureInfo.InvariantCulture);
        return Usage.Now(balancer).Since(before, units);
    }

    public void Dispose()
    {
        load.Dispose();
        balancer.Dispose();
    }
}
