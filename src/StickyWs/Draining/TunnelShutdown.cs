using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// The end of the process, within the host's time (<c>HostOptions.ShutdownTimeout</c>): not ready first, while everything is served; then, while the
/// listeners close, tunnels are told to go; what is left shortly before the time is over is aborted, and so it is when a second signal comes. Tunnels
/// of an in-memory server, such as <c>WebApplicationFactory</c>'s, are aborted at once.
/// </summary>
/// <remarks>
/// Goodbyes begin in <see cref="StoppingAsync"/>: services stop in the reverse order of their registration, so Kestrel stops first, and waits for the
/// tunnels of the portable lane.
/// </remarks>
#pragma warning disable CA2213 // The source holds only memory, and a host may be stopped while its services are being disposed.
internal sealed partial class TunnelShutdown(
    TunnelTable tunnels,
    BackendRegistry registry,
    ProcessReadiness readiness,
    StopSignals signals,
    IOptions<HostOptions> host,
    TimeProvider time,
    ILogger<TunnelShutdown> logger) : IHostedLifecycleService, IDisposable
#pragma warning restore CA2213
{
    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _cut = new();
    private GoodbyeRound? _round;
    private string _cause = "The shutdown time is over";
    private int _isCut;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var (shutdown, budget) = (registry.Current.Options.Shutdown, host.Value.ShutdownTimeout);
        if (ShutdownPlan.DelayOf(shutdown, budget) < shutdown.ReadinessDelay) LogTooShort(shutdown.ReadinessDelay, budget);
        signals.Begin(() => Cut("A second signal"));
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        tunnels.BeginStop(cancellationToken);
        readiness.Leave();
        var shutdown = registry.Current.Options.Shutdown;
        var budget = host.Value.ShutdownTimeout;
        var delay = ShutdownPlan.DelayOf(shutdown, budget);
        if (delay > TimeSpan.Zero) await DelayAsync(delay, cancellationToken).ConfigureAwait(false);
        registry.CloseLines(); // Those who wait would hold the stop up, and another instance may have room.
        var left = budget == Timeout.InfiniteTimeSpan ? ShutdownPlan.Endless : budget - time.GetElapsedTime(began);
        if (_round is null && !_cut.IsCancellationRequested && left > TimeSpan.Zero) Begin(shutdown, ShutdownPlan.For(shutdown, left, Open().Length));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        tunnels.AbortInMemory();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        try
        {
            await tunnels.WhenEmptyAsync(end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Cut(_cause);
            await WaitForLastAsync().ConfigureAwait(false);
        }

        tunnels.Opened -= OnOpened;
        _round?.Dispose();
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        signals.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        signals.Dispose();
        _round?.Dispose();
    }

    private void Begin(ShutdownOptions shutdown, ShutdownPlan plan)
    {
        var closeTimeout = plan.CloseTimeout;
        _round = new GoodbyeRound(time, plan.Over, tunnel => Tell(tunnel, shutdown, closeTimeout), plan.Cut, () => Cut(_cause));
        if (!shutdown.Goodbye) return;
        tunnels.Opened += OnOpened;
        _ = Task.Run(PlanAsync);
    }

    private async Task PlanAsync()
    {
        try
        {
            _round!.Plan(await Idleness.SortAsync(Open(), time, LogFailed).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Nobody waits for this; the end of the time still cuts.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(e);
        }
    }

    // On a connection that was open already; on the thread that moves the tunnel's bytes, which must be done with opening it first.
    private void OnOpened(Tunnel tunnel)
    {
        if (!tunnel.IsInMemory) ThreadPool.UnsafeQueueUserWorkItem(static late => late._round!.Plan([late.tunnel]), (_round, tunnel), preferLocal: false);
    }

    private bool Tell(Tunnel tunnel, ShutdownOptions shutdown, TimeSpan longest)
    {
        var own = tunnel.Backend.Options.Drain.CloseTimeout;
        try
        {
            tunnel.Say(new Goodbye((ushort)shutdown.CloseCode, shutdown.CloseReason, EndReason.Shutdown, own < longest ? own : longest));
            return true;
        }
#pragma warning disable CA1031 // One tunnel's trouble must not keep the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(e);
            return false;
        }
    }

    private void Cut(string cause)
    {
        if (Interlocked.Exchange(ref _isCut, 1) != 0) return;
        _cause = cause;
        var left = tunnels.AbortAll(EndReason.Shutdown);
        if (left > 0) LogEnded(cause, left);
        _cut.Cancel();
    }

    private Tunnel[] Open() => tunnels.Find(static tunnel => !tunnel.IsInMemory, int.MaxValue);

    private async Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        LogNotReady(delay);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        await Task.Delay(delay, time, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Aborted tunnels end soon; wait until that is counted and logged, before the services are disposed.
    private async Task WaitForLastAsync()
    {
        using var timer = new CancellationTokenSource(LastWait, time);
        try
        {
            await tunnels.WhenEmptyAsync(timer.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogLeft(tunnels.Count);
        }
    }

    [LoggerMessage(EventIds.TunnelsEndedAtShutdown, LogLevel.Information,
        "{Cause}: {Tunnels} tunnels were aborted",
        EventName = "TunnelsEndedAtShutdown")]
    private partial void LogEnded(string cause, int tunnels);

    [LoggerMessage(EventIds.TunnelsLeftAtShutdown, LogLevel.Warning,
        "{Tunnels} tunnels did not end although they were aborted",
        EventName = "TunnelsLeftAtShutdown")]
    private partial void LogLeft(int tunnels);

    [LoggerMessage(EventIds.NotReady, LogLevel.Information,
        "The process is stopping: it is not ready from now on, and serves for another {Delay}",
        EventName = "NotReady")]
    private partial void LogNotReady(TimeSpan delay);

    [LoggerMessage(EventIds.ShutdownTooShort, LogLevel.Warning,
        "Shutdown:ReadinessDelay ({Delay}) is more than half of the host's shutdown time ({Budget}), and is cut to that half, lest no time be left to tell "
        + "tunnels to go: set a longer HostOptions.ShutdownTimeout, and a longer grace period where the process runs",
        EventName = "ShutdownTooShort")]
    private partial void LogTooShort(TimeSpan delay, TimeSpan budget);

    [LoggerMessage(EventIds.GoodbyeFailed, LogLevel.Error, "A tunnel could not be told to go at shutdown", EventName = "GoodbyeFailed")]
    private partial void LogFailed(Exception exception);
}
