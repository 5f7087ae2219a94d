using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace StickyWs.Transport;

/// <summary>
/// A connection that may outlive its listener. Kestrel ends the connections of a listener that it stops, so it is told that this one is over
/// (<see cref="Leave"/>), while whoever serves it goes on; the next listener then presents it to Kestrel as a new one (<see cref="AdoptedConnection"/>).
/// Servers see Kestrel's features through this object, which stays the same. Safe for concurrent use.
/// </summary>
internal sealed class MovableConnection : IHandedOver, IConnectionHeartbeatFeature, IConnectionLifetimeNotificationFeature, IConnectionCompleteFeature
{
    private readonly Lock _lock = new();
    private readonly Lock _ticking = new();
    private readonly HostedConnection _connection;
    private ListenerTerm _term;
    private KestrelSide _kestrel;
    private Task? _service;
    private TaskCompletionSource? _stay;
    private CancellationTokenRegistration _leaving;
    private CancellationTokenRegistration _relayed;
    private CancellationTokenSource? _closing;
    private CancellationToken? _given;
    private List<(Action<object> Action, object State)>? _heartbeats;
    private List<(Func<object, Task> Callback, object State)>? _completions;
    private bool _isDone;
    private bool _isMoving;

    private MovableConnection(HostedConnection connection, ListenerTerm term)
    {
        (_connection, _term) = (connection, term);
        HasMoved = connection is { WasHandedOver: true, ServedBy: not null }; // Others have seen nothing of the earlier configuration.
    }

    /// <summary>Whether it has outlived the listener that accepted it. Its endpoint may be configured otherwise by now.</summary>
    public bool HasMoved { get; private set; }

    /// <summary>Serves a connection that was just accepted.</summary>
    /// <param name="connection">The connection. No server has used it yet.</param>
    /// <param name="term">That of its listener.</param>
    /// <param name="serve">Serves it to its end, wherever it moves.</param>
    /// <returns>Completes when Kestrel is to let it go: at the end of <paramref name="serve"/>, or when it moves.</returns>
    public static Task ServeAsync(HostedConnection connection, ListenerTerm term, Func<ConnectionContext, Task> serve)
    {
        var movable = new MovableConnection(connection, term);
        var kestrel = KestrelSide.Of(connection.Features);
        movable._kestrel = kestrel;
        connection.Features.Set<IConnectionHeartbeatFeature>(movable);
        connection.Features.Set<IConnectionLifetimeNotificationFeature>(movable);
        connection.Features.Set<IConnectionCompleteFeature>(movable);
        connection.Movable = movable;
        var service = serve(connection);
        if (service.IsCompleted)
        {
            movable.Complete();
            return service;
        }

        movable._service = service;
        _ = movable.WatchAsync(service);
        return movable.StayAsync(kestrel, term);
    }

    public ConnectionContext Adopt(ListenerTerm term, EndPoint local) => new AdoptedConnection(this, _connection, term, local);

    /// <summary>Stays with a listener.</summary>
    /// <returns>Completes when Kestrel is to let it go.</returns>
    public Task StayAsync(KestrelSide kestrel, ListenerTerm term)
    {
        TaskCompletionSource stay;
        bool isOther;
        lock (_lock)
        {
            isOther = kestrel != _kestrel;
            HasMoved |= !ReferenceEquals(term, _term);
            (_kestrel, _term) = (kestrel, term);
            if (_isDone) return _service ?? Task.CompletedTask;
            _stay = stay = new TaskCompletionSource();
        }

        if (isOther && _heartbeats is not null) kestrel.Heartbeat?.OnHeartbeat(static state => ((MovableConnection)state).Tick(), this);
        if (isOther && _closing is not null) Relay();

        var leaving = term.Over.UnsafeRegister(static state => ((MovableConnection)state!).Leave(), this);
        lock (_lock)
        {
            if (_isDone) leaving.Unregister();
            else _leaving = leaving;
        }

        return stay.Task;
    }

    /// <summary>When Kestrel disposes of the connection: whether it only moves.</summary>
    public bool TryMove()
    {
        ParkedListener successor;
        lock (_lock)
        {
            if (!_isMoving) return false;
            _isMoving = false;
            successor = _term.Successor!;
        }

        successor.Add(this);
        return true;
    }

    // Aborts it, and disposes of it when its server has noticed.
    public void Drop() => _ = EndAsync();

    /// <summary>Disposes of it; aborts it first if it is still being served.</summary>
    public async Task EndAsync()
    {
        if (_service is { IsCompleted: false } service)
        {
            _connection.Abort(new ConnectionAbortedException("The connection's endpoint was closed."));
            await service.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _connection.CloseAsync().ConfigureAwait(false);
    }

    public void OnHeartbeat(Action<object> action, object state)
    {
        bool isFirst;
        lock (_ticking)
        {
            isFirst = _heartbeats is null;
            (_heartbeats ??= []).Add((action, state));
        }

        if (isFirst) _kestrel.Heartbeat?.OnHeartbeat(static state => ((MovableConnection)state).Tick(), this);
    }

    public CancellationToken ConnectionClosedRequested
    {
        get
        {
            bool isFirst;
            lock (_lock)
            {
                if (_given is { } given) return given;
                isFirst = _closing is null;
                _closing ??= new CancellationTokenSource();
            }

            if (isFirst) Relay();
            return _closing.Token;
        }

        set => _given = value;
    }

    public void RequestClose()
    {
        _ = ConnectionClosedRequested;
        _closing?.Cancel();
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
        lock (_lock) (_completions ??= []).Add((callback, state));
    }

    // What Kestrel asks of the connections of a listener that is stopped does not concern one that moves. It may ask late, when the next term has begun.
    private void Relay()
    {
        KestrelSide kestrel;
        ListenerTerm term;
        lock (_lock) (kestrel, term) = (_kestrel, _term);
        if (kestrel.Lifetime is not { } lifetime) return;
        _relayed = lifetime.ConnectionClosedRequested.UnsafeRegister(static state =>
        {
            var (movable, term) = ((MovableConnection, ListenerTerm))state!;
            if (!term.Over.IsCancellationRequested) movable._closing!.Cancel();
        }, (this, term));
    }

    private void Tick()
    {
        lock (_ticking)
        {
            foreach (var (action, state) in _heartbeats!) action(state);
        }
    }

    private void Leave()
    {
        TaskCompletionSource? stay;
        lock (_lock)
        {
            if (_isDone || _stay is null) return;
            (stay, _stay, _isMoving) = (_stay, null, true);
        }

        _relayed.Unregister();
        stay.SetResult();
    }

    private async Task WatchAsync(Task service)
    {
        await service.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Complete()?.SetFromTask(service);
    }

    private TaskCompletionSource? Complete()
    {
        TaskCompletionSource? stay;
        List<(Func<object, Task> Callback, object State)>? completions;
        lock (_lock)
        {
            _isDone = true;
            (stay, _stay) = (_stay, null);
            (completions, _completions) = (_completions, null);
        }

        _leaving.Unregister();
        foreach (var (callback, state) in completions ?? []) _kestrel.Completion?.OnCompleted(callback, state);
        return stay;
    }
}
