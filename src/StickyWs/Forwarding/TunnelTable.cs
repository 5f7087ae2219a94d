using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>The living tunnels, for whoever must end them all.</summary>
internal sealed class TunnelTable
{
    private readonly HashSet<Tunnel> _tunnels = [];
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;
    private volatile bool _isStopping;
    private bool _isClosed;

    public int Count
    {
        get
        {
            lock (_lock) return _tunnels.Count;
        }
    }

    /// <summary>Whether the host has begun to stop; tunnels still have its shutdown time.</summary>
    public bool IsStopping => _isStopping;

    public void BeginStop() => _isStopping = true;

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
            if (_tunnels.Count == 0) _empty?.TrySetResult();
        }
    }

    /// <summary>Completes when the last tunnel is gone.</summary>
    public Task WhenEmptyAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_tunnels.Count == 0) return Task.CompletedTask;
            _empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
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
