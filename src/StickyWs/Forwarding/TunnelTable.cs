using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>The living tunnels, for whoever must end them all.</summary>
internal sealed class TunnelTable
{
    private readonly HashSet<Tunnel> _tunnels = [];
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;
    private CancellationToken _shutdownTime;
    private bool _isClosed;

    public int Count
    {
        get
        {
            lock (_lock) return _tunnels.Count;
        }
    }

    /// <summary>Whether the host stops and its shutdown time is over: from then on it is the host that ends tunnels, whatever they see of it.</summary>
    public bool IsShutDown
    {
        get
        {
            lock (_lock) return _shutdownTime.IsCancellationRequested;
        }
    }

    /// <summary>The host stops; tunnels have until <paramref name="shutdownTime"/> is cancelled. A host may be stopped twice (<c>StopAsync</c> beside <c>Run</c>): the first counts.</summary>
    public void BeginStop(CancellationToken shutdownTime)
    {
        lock (_lock)
        {
            if (!_shutdownTime.CanBeCanceled) _shutdownTime = shutdownTime;
        }
    }

    /// <summary>Whether the tunnel was taken in; not any more once all were ended.</summary>
    public bool TryAdd(Tunnel tunnel)
    {
        lock (_lock) return !_isClosed && _tunnels.Add(tunnel);
    }

    public void Remove(Tunnel tunnel)
    {
        lock (_lock)
        {
            _tunnels.Remove(tunnel);
            if (_tunnels.Count > 0) return;
            _empty?.TrySetResult();
            _empty = null;
        }
    }

    /// <summary>Completes when the last tunnel is gone.</summary>
    public Task WhenEmptyAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_tunnels.Count == 0) return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Breaks all tunnels and takes in no more.</summary>
    /// <returns>How many there were.</returns>
    public int AbortAll(EndReason reason)
    {
        Tunnel[] tunnels;
        lock (_lock)
        {
            _isClosed = true;
            tunnels = [.. _tunnels];
        }

        foreach (var tunnel in tunnels) tunnel.Abort(reason);
        return tunnels.Length;
    }
}
