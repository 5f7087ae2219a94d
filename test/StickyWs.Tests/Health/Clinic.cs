using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>A monitor with a registry of its own, a clock that stands still and probes that the test answers.</summary>
internal sealed class Clinic : IAsyncDisposable
{
    public const string Pool = "chat";
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly LoggerFactory _loggers;

    public Clinic(double random = 0.5)
    {
        _loggers = new LoggerFactory([Logs]);
        Probe = new ScriptedProbe(Time);
        Registry = new BackendRegistry(_loggers.CreateLogger<BackendRegistry>(), TimeProvider.System);
        Board = new BreakerBoard(Registry, Probe, Time, _loggers.CreateLogger<BreakerBoard>());
        Monitor = new HealthMonitor(Registry, Board, Probe, Time, Metrics, _loggers) { Random = () => random };
    }

    public WatchedTime Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public StickyWsMetrics Metrics { get; } = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    public ScriptedProbe Probe { get; }

    public BackendRegistry Registry { get; }

    public BreakerBoard Board { get; }

    public HealthMonitor Monitor { get; }

    public PoolSnapshot Snapshot => Registry.Current.Pools.Single();

    /// <summary>Backend a, or the one that is named.</summary>
    public Backend Backend(string name = "a") => Snapshot.Backends.Single(backend => backend.Name == name);

    public string[] Eligible => [.. Snapshot.Eligible.Select(backend => backend.Name)];

    /// <summary>Why a backend is in its state, as logged.</summary>
    public string LastCause => Logs.Lines.Last(line => line.Event == "BackendStateChanged").Text;

    /// <summary>Options with a TCP probe and these backends.</summary>
    public static StickyWsOptions Options(Action<PoolOptions>? change = null, params string[] backends)
    {
        var pool = new PoolOptions { Health = { Tcp = new TcpProbeOptions { Interval = Interval, Timeout = Timeout, Jitter = 0 } } };
        foreach (var (place, name) in backends.DefaultIfEmpty("a").Index())
            pool.Backends[name] = new BackendOptions { Address = $"http://127.0.0.1:{5000 + place}" };
        change?.Invoke(pool);
        return new StickyWsOptions { Pools = { [Pool] = pool } };
    }

    /// <summary>Starts with good first probes of all backends.</summary>
    public async Task StartHealthyAsync(StickyWsOptions? options = null)
    {
        Registry.Apply(options ?? Options());
        var starting = Monitor.StartAsync(Wait.Token());
        foreach (var backend in Snapshot.Backends) (await Probe.NextAsync(backend.Name)).Good();
        await starting;
        foreach (var _ in Snapshot.Backends) await Time.TimerAsync(Interval);
    }

    /// <summary>The next probe of backend a ends so, and is judged; a failure is given by its cause.</summary>
    public async Task ProbedAsync(params string?[] failures)
    {
        foreach (var failure in failures)
        {
            Time.Advance(Interval);
            await AnswerAsync(failure);
        }
    }

    /// <summary>Answers the probe of backend a that is under way or about to be, and waits until it is judged.</summary>
    public async Task AnswerAsync(string? failure)
    {
        var call = await Probe.NextAsync("a");
        if (failure is null) call.Good();
        else call.Fail(failure);
        await Time.TimerAsync(Interval);
    }

    public async ValueTask DisposeAsync()
    {
        await Monitor.StopAsync(Wait.Token());
        Monitor.Dispose();
        Board.Dispose();
        _loggers.Dispose();
    }
}
