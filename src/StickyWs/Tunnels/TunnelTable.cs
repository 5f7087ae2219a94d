using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>The open tunnels of all lanes: records when they open and end, and can abort them all.</summary>
internal sealed partial class TunnelTable(StickyWsMetrics metrics, TimeProvider time, ILogger<TunnelTable> logger)
{
    private readonly HashSet<Tunnel> _tunnels = [];
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;
    private CancellationToken _shutdownTime;
    private bool _isClosed;
    private bool _isInMemoryClosed;
    private readonly Ages _ages = new(time);
    private bool _hasListenerFailed;
    private bool _hasSweepFailed;

    /// <summary>Raised for each tunnel that has both its connections. Handlers must be quick; one that throws is logged, and changes nothing.</summary>
    public event Action<Tunnel>? Opened;

    /// <summary>Raised for each tunnel that has ended, after <see cref="Opened"/>. Handlers as there.</summary>
    public event Action<Tunnel>? Ended;

    public TimeProvider Time => time;

    public long Now => time.GetTimestamp();

    public int Count
    {
        get
        {
            lock (_lock) return _tunnels.Count;
        }
    }

    /// <summary>Whether the host is stopping and its shutdown time is over: it ends tunnels then, whatever the end looks like to them.</summary>
    public bool IsShutDown
    {
        get
        {
            lock (_lock) return _shutdownTime.IsCancellationRequested;
        }
    }

    /// <summary>
    /// The host is stopping; tunnels have until <paramref name="shutdownTime"/> is cancelled. A host may be stopped twice (<c>StopAsync</c> beside
    /// <c>Run</c>): the first call counts.
    /// </summary>
    public void BeginStop(CancellationToken shutdownTime)
    {
        lock (_lock)
        {
            if (!_shutdownTime.CanBeCanceled) _shutdownTime = shutdownTime;
        }
    }

    /// <summary>Records a tunnel that has opened. The caller must close it in any case.</summary>
    /// <returns>Whether it may go on; <see langword="false"/> after all tunnels were aborted.</returns>
    public bool TryOpen(Tunnel tunnel)
    {
        tunnel.NoteOpened();
        tunnel.Backend.Note(WorkCounter.Opened);
        metrics.TunnelOpened(tunnel.Backend.Pool, tunnel.Backend.Name, tunnel.Lane);
        LogOpened(tunnel.ConnectionId, tunnel.Tuple, tunnel.Backend.Pool, tunnel.Backend.Name, tunnel.Lane);
        lock (_lock) return _tunnels.Add(tunnel) && !_isClosed && !(_isInMemoryClosed && tunnel.IsInMemory);
    }

    /// <summary>Tells of a tunnel that was recorded, as soon as both its connections can be asked about, and before it can end.</summary>
    public void Announce(Tunnel tunnel) => Raise(Opened, tunnel);

    /// <summary>Records a tunnel's end, once, and gives its lease back.</summary>
    public void Close(Tunnel tunnel)
    {
        var duration = time.GetElapsedTime(tunnel.OpenedAt);
        tunnel.ReturnLease();
        tunnel.Backend.Note(WorkCounter.Ended);
        try
        {
            metrics.TunnelEnded(tunnel.Backend.Pool, tunnel.Backend.Name, tunnel.Lane, tunnel.EndReason, tunnel.Farewell, duration);
            LogEnded(
                tunnel.ConnectionId,
                tunnel.Backend.Pool,
                tunnel.Backend.Name,
                tunnel.Lane,
                tunnel.EndReason,
                tunnel.Farewell,
                tunnel.BytesToBackend,
                tunnel.BytesToClient,
                duration.TotalSeconds);
        }
        finally
        {
            tunnel.Record?.End(new TunnelEnd(tunnel.ConnectionId, tunnel.Tuple, tunnel.Backend.Pool, tunnel.Backend.Name, tunnel.Lane, tunnel.EndReason,
                tunnel.Farewell, duration)
            {
                BytesToBackend = tunnel.BytesToBackend,
                BytesToClient = tunnel.BytesToClient,
                ClientCloseCode = tunnel.ClientCloseCode,
                BackendCloseCode = tunnel.BackendCloseCode,
                OwnCloseCode = tunnel.OwnCloseCode,
            });
            Remove(tunnel); // Also when a logger or a listener of the application's throws, lest a stop wait for it.
            Raise(Ended, tunnel);
        }
    }

    /// <summary>
    /// Open tunnels that fit, in no order; some may have ended meanwhile. The lock that opening and closing a tunnel takes is held for a copy only,
    /// however long <paramref name="fits"/> takes.
    /// </summary>
    public Tunnel[] Find(Func<Tunnel, bool> fits, int limit)
    {
        using var open = Borrow();
        var found = new List<Tunnel>();
        for (var i = 0; i < open.All.Length && found.Count < limit; i++)
        {
            if (fits(open.All[i])) found.Add(open.All[i]);
        }

        return [.. found];
    }

    /// <summary>Lends the open tunnels; they are to be given back.</summary>
    public BorrowedTunnels Borrow()
    {
        lock (_lock) return new BorrowedTunnels(_tunnels);
    }

    /// <summary>Whether a tunnel is open.</summary>
    public bool Holds(Tunnel tunnel)
    {
        lock (_lock) return _tunnels.Contains(tunnel);
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

    /// <summary>Aborts all tunnels and accepts no more.</summary>
    /// <returns>How many were aborted.</returns>
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

    /// <summary>Aborts the tunnels of in-memory servers, whose clients are in this process: their test is over, and nothing drains them.</summary>
    public void AbortInMemory()
    {
        Tunnel[] tunnels;
        lock (_lock)
        {
            _isInMemoryClosed = true;
            tunnels = [.. _tunnels.Where(tunnel => tunnel.IsInMemory)];
        }

        foreach (var tunnel in tunnels) tunnel.Abort(EndReason.Shutdown);
    }

    /// <summary>Says goodbye to all open tunnels that fit.</summary>
    /// <returns>How many were told.</returns>
    public int Say(Func<Tunnel, bool> fits, Goodbye goodbye)
    {
        var tunnels = Find(fits, int.MaxValue);
        foreach (var tunnel in tunnels) tunnel.Say(goodbye);
        return tunnels.Length;
    }

    /// <summary>
    /// Ends the tunnels that were idle for too long, or whose goodbye was, asks peers that are quiet, and tells those to go that were open for too long.
    /// Called on one thread.
    /// </summary>
    public void EndOverdue(bool isLate = false)
    {
        List<Tunnel>? overdue = null;
        List<Tunnel>? watched = null;
        List<(Tunnel, TimeSpan)> aged = [];
        (Tunnel Tunnel, Exception Exception)? failed = null;
        lock (_lock)
        {
            foreach (var tunnel in _tunnels)
            {
                try
                {
                    if (tunnel.IsWatched) (watched ??= []).Add(tunnel);
                    if (tunnel.IsOverdue()) (overdue ??= []).Add(tunnel);
                    else if (_ages.Over(tunnel) is { Ticks: >= 0 } over) aged.Add((tunnel, over));
                }
#pragma warning disable CA1031 // One tunnel's trouble must not keep the others.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failed ??= (tunnel, e);
                }
            }
        }

        if (failed is { } first) Log(first.Tunnel, first.Exception);
        watched?.ForEach(tunnel => Try(tunnel, tunnel => tunnel.LookAtPeers(isLate)));
        overdue?.ForEach(tunnel => Try(tunnel, static tunnel => tunnel.EndOverdue()));
        _ages.Due(aged).ForEach(tunnel => Try(tunnel, static tunnel =>
        {
            tunnel.Say(Goodbye.Of(tunnel.Backend.Options.Drain, EndReason.MaxAge));
            tunnel.IsTooOld = true;
        }));
    }

    private void Try(Tunnel tunnel, Action<Tunnel> end)
    {
        try
        {
            end(tunnel);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log(tunnel, e);
        }
    }

    // The first failure is an Error; a defect may repeat with each tunnel and sweep.
    private void Log(Tunnel tunnel, Exception e)
        => LogSweepFailed(Interlocked.Exchange(ref _hasSweepFailed, true) ? LogLevel.Debug : LogLevel.Error, tunnel.ConnectionId, e);

    // Both are raised on a reactor, in the middle of a tunnel's beginning or end. The first failure is an Error; a defect may repeat with each tunnel.
    private void Raise(Action<Tunnel>? handlers, Tunnel tunnel)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(tunnel);
            }
#pragma warning disable CA1031 // Whatever a handler throws, the tunnel goes on, and the other handlers are told.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogListenerFailed(Interlocked.Exchange(ref _hasListenerFailed, true) ? LogLevel.Debug : LogLevel.Error, tunnel.ConnectionId, e);
            }
        }
    }

    private void Remove(Tunnel tunnel)
    {
        lock (_lock)
        {
            _tunnels.Remove(tunnel);
            if (_tunnels.Count > 0) return;
            _empty?.TrySetResult();
            _empty = null;
        }
    }

    [LoggerMessage(EventIds.TunnelOpened, LogLevel.Debug,
        "Connection {ConnectionId} ({Tuple}): tunnel to {Pool}/{Backend} opened in the {Lane} lane",
        EventName = "TunnelOpened")]
    private partial void LogOpened(string connectionId, ConnectionTuple? tuple, string pool, string backend, string lane);

    [LoggerMessage(EventId = EventIds.TunnelListenerFailed,
        Message = "Connection {ConnectionId}: a listener for tunnels that open or end failed; the tunnel is not affected", EventName = "TunnelListenerFailed")]
    private partial void LogListenerFailed(LogLevel level, string connectionId, Exception exception);

    [LoggerMessage(EventId = EventIds.TunnelSweepFailed,
        Message = "Connection {ConnectionId}: a tunnel that was idle or open for too long could not be ended", EventName = "TunnelSweepFailed")]
    private partial void LogSweepFailed(LogLevel level, string connectionId, Exception exception);

    [LoggerMessage(EventIds.TunnelEnded, LogLevel.Debug,
        "Connection {ConnectionId}: tunnel to {Pool}/{Backend} in the {Lane} lane ended as {EndReason}, farewell of {Farewell}; "
        + "client->backend {BytesToBackend} B, backend->client {BytesToClient} B, {Seconds} s",
        EventName = "TunnelEnded")]
    private partial void LogEnded(
        string connectionId,
        string pool,
        string backend,
        string lane,
        EndReason endReason,
        string farewell,
        long bytesToBackend,
        long bytesToClient,
        double seconds);
}
