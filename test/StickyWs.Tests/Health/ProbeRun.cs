using System.Net;
using System.Net.Sockets;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.Names;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>Runs the probe that a pool's options ask for against a real socket.</summary>
internal static class ProbeRun
{
    /// <returns>Why it failed; <see langword="null"/> when it was good.</returns>
    public static async Task<string?> OnceAsync(string address, Action<PoolOptions> configure, TimeProvider? time = null)
    {
        var pool = new PoolOptions();
        configure(pool);

        // On a clock that stands still, the probe's own time-out plays no part.
        var pipeline = new ProbePipeline(new ProbeFactory().Create(pool)!, pool, time ?? new WatchedTime());
        return (await pipeline.RunAsync(new Backend(Clinic.Pool, "a", new Uri(address), new TunnelTotal()), Wait.Token())).Failure;
    }

    /// <summary>Probes a backend that, once it was reached, stays silent until the probe's time-out is over.</summary>
    public static async Task<string?> SilentAsync(string address, Task reached, Action<PoolOptions> configure)
    {
        var time = new WatchedTime();
        var run = OnceAsync(address, configure, time);
        await reached.WaitAsync(Wait.Token());
        time.Advance(TimeSpan.FromSeconds(2));
        return await run;
    }

    /// <summary>Probes a backend whose name servers stay silent until the probe's time-out is over.</summary>
    public static async Task<ProbeResult> UnresolvedAsync(string address, Action<PoolOptions> configure)
    {
        var pool = new PoolOptions();
        configure(pool);
        var (time, servers) = (new WatchedTime(), new SilentNameServers());
        var backend = new Backend(Clinic.Pool, "a", new Uri(address), new TunnelTotal(), new AddressBook(servers, time));
        var run = new ProbePipeline(new ProbeFactory().Create(pool)!, pool, time).RunAsync(backend, Wait.Token()).AsTask();
        await servers.Asked.WaitAsync(Wait.Token());
        Assert.False(run.IsCompleted);
        time.Advance(pool.Health.Probe!.Timeout);
        return await run.WaitAsync(Wait.Token());
    }

    /// <summary>Runs with the address of a port that refuses: it is taken, but nobody listens.</summary>
    public static async Task<string?> RefusedAsync(Action<PoolOptions> configure)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return await OnceAsync($"http://{socket.LocalEndPoint}", configure);
    }

    private sealed class SilentNameServers : INameResolver
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return [];
        }
    }
}
