using Microsoft.Extensions.Hosting;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>
/// Ends the tunnels of the portable lane that were idle for longer than their pool allows, and those of both lanes that were open for longer, checking
/// every second. It asks quiet peers there, too. The raw lane has its own sweep for both.
/// </summary>
/// <remarks>
/// It goes on until all services have stopped, in whatever order and manner they do: tunnels live for as long, and the goodbyes of the portable lane need
/// it.
/// </remarks>
internal sealed class TunnelSweeper(TunnelTable tunnels, TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Then the process stood still: peers may have spoken, and nobody has read it.
    private static readonly TimeSpan LatestAfter = 3 * Interval;

    private long _sweptAt = time.GetTimestamp();
    private ITimer? _timer;
    private int _isSweeping;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer ??= time.CreateLasting(static sweeper => ((TunnelSweeper)sweeper!).Sweep(), this, Interval, Interval);
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    // One that takes long is not overtaken by the next.
    private void Sweep()
    {
        if (Interlocked.Exchange(ref _isSweeping, 1) != 0) return;
        try
        {
            var isLate = time.GetElapsedTime(_sweptAt) > LatestAfter;
            _sweptAt = time.GetTimestamp();
            tunnels.EndOverdue(isLate);
        }
        finally
        {
            Volatile.Write(ref _isSweeping, 0);
        }
    }
}
