using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Transport;

/// <summary>
/// The connections of a listener from their accept until Kestrel asks for them. As soon as the listener's arrival service is known, it meets them first,
/// on their reactor: what becomes a tunnel, or gets its answer there, costs no thread switch, and nothing of Kestrel's. Safe for concurrent use.
/// </summary>
/// <param name="term">Knows the service, and what comes after the listener.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs defects of the service.</param>
internal sealed partial class Arrivals(ListenerTerm term, TimeProvider time, ILogger logger)
{
    private const int MostWaiting = 1024;

    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(1);

    private readonly Readiness _forKestrel = new(goesOnInPool: true);
    private readonly Lock _lock = new();
    private readonly Queue<HostedConnection> _waiting = [];
    private readonly HashSet<RawConnection> _served = [];
    private TaskCompletionSource? _empty;
    private bool _isOver;

    /// <summary>Takes a connection that was just accepted.</summary>
    public void Add(RawConnection connection)
    {
        if (term.Service is not { } service)
        {
            Present(connection);
            return;
        }

        lock (_lock) _served.Add(connection); // After the end, too: it goes on with the successor, or stops at once.
        var reactor = connection.Bare.Reactor;
        if (reactor.IsCurrent) _ = ServeAsync(service, connection);
        else reactor.Run(() => _ = ServeAsync(service, connection));
    }

    /// <summary>Has Kestrel ask for a connection.</summary>
    public void Present(HostedConnection connection)
    {
        bool isOver;
        lock (_lock)
        {
            isOver = _isOver;
            if (!isOver) _waiting.Enqueue(connection);
        }

        if (isOver) PassOn(connection);
        else _forKestrel.Signal();
    }

    /// <summary>Whether so many wait for Kestrel that others had better wait in the backlog.</summary>
    public bool IsCrowded
    {
        get
        {
            lock (_lock) return _waiting.Count >= MostWaiting;
        }
    }

    /// <summary>Whether any is being served.</summary>
    public bool HasServed
    {
        get
        {
            lock (_lock) return _served.Count > 0;
        }
    }

    /// <summary>The next connection for Kestrel.</summary>
    public bool TryTake([NotNullWhen(true)] out HostedConnection? connection)
    {
        lock (_lock) return _waiting.TryDequeue(out connection);
    }

    /// <summary>Waits until there may be one, or <see cref="Wake"/>.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken) => _forKestrel.WaitAsync(cancellationToken);

    /// <summary>Ends the wait.</summary>
    public void Wake() => _forKestrel.Signal();

    /// <summary>Kestrel asks for no more: what waits for it, now or later, goes to the successor; without one it is closed.</summary>
    public void End()
    {
        lock (_lock) _isOver = true;
        while (TryTake(out var connection)) PassOn(connection);
        Wake();
    }

    /// <summary>Tells the connections that are being served that clients are no longer waited for.</summary>
    public void Stop() => term.Stop();

    /// <summary>Waits for the connections that are being served; when the time is over, aborts them.</summary>
    public async Task FinishAsync(CancellationToken stopTime)
    {
        try
        {
            await WhenServedAsync(stopTime).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            RawConnection[] left;
            lock (_lock) left = [.. _served];
            foreach (var connection in left) connection.Abort(new ConnectionAbortedException("The server has stopped."));
            using var last = new CancellationTokenSource(LastWait, time);
            await WhenServedAsync(last.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(IArrivalService service, RawConnection connection)
    {
        try
        {
            if (await service.ServeAsync(connection).ConfigureAwait(false)) Present(connection);
            else await connection.DisposeAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A defect, of the service or of what the application plugs into it: one connection's, not the listener's.
        catch (Exception e)
#pragma warning restore CA1031
        {
            TryLogFailed(connection, e);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            Forget(connection);
        }
    }

    private void Forget(RawConnection connection)
    {
        lock (_lock)
        {
            _served.Remove(connection);
            if (_served.Count > 0) return;
            _empty?.TrySetResult();
            _empty = null;
        }
    }

    private void TryLogFailed(RawConnection connection, Exception exception)
    {
        try
        {
            LogFailed(logger, connection.ConnectionId, exception);
        }
#pragma warning disable CA1031 // The logger itself may have failed.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The failure cannot be reported anywhere.
        }
    }

    private void PassOn(HostedConnection connection)
    {
        if (term.Successor is { } successor) successor.Add(connection);
        else connection.Drop();
    }

    private Task WhenServedAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_served.Count == 0) return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task.WaitAsync(cancellationToken);
        }
    }

    [LoggerMessage(EventIds.ArrivalFailed, LogLevel.Error,
        "Connection {ConnectionId}: failed before it was known what it carries",
        EventName = "ArrivalFailed")]
    private static partial void LogFailed(ILogger logger, string connectionId, Exception exception);
}
