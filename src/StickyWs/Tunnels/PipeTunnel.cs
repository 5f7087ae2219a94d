using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>A tunnel of the portable lane. It owns both ends.</summary>
internal sealed class PipeTunnel(TunnelClient client, StreamBackendConnection backend, Lease lease, TunnelOptions options, TimeProvider time)
    : Tunnel(client.ConnectionId, lease, time.GetTimestamp())
{
    // How long a peer may go without taking anything before its connection is closed, if the pool sets no limit.
    private static readonly TimeSpan LongestDelivery = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private bool _isClosed;
    private Relay? _relay;
    private volatile PipeGoodbye? _goodbye;
    private volatile bool _isEnding;
    private volatile bool _isHalfClosed;
    private long _stillSince = time.GetTimestamp();
    private long _seen;
    private long _acknowledged;
    private long? _lookedAt;

    public override string Lane => LaneNames.Portable;

    public override bool IsInMemory { get; } = client.IsInMemory;

    public override bool HasClientTls { get; } = client.HasTls;

    public override bool HasBackendTls => BackendTls.IsUsedBy(Backend.Address);

    public StreamBackendConnection BackendConnection => backend;

    public TunnelClient Client => client;

    /// <summary>The goodbye that was said to it.</summary>
    public PipeGoodbye? Goodbye => _goodbye;

    /// <summary>Waits until the client has received what the backend sent before its end.</summary>
    public Delivery ToClient { get; } = new(time, PatienceOf(options));

    /// <summary>The same towards the backend.</summary>
    public Delivery ToBackend { get; } = new(time, PatienceOf(options));

    /// <summary>How long a client that keeps sending is still read after its backend's end.</summary>
    public TimeSpan LongestHearing => PatienceOf(options);

    // Read once: the request that it comes from may be over, and another's.
    public override ConnectionTuple? Tuple { get; } = client.Tuple;

    public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync() => new(backend.ReadTuple());

    /// <summary>Watches over the silence of each side; <see langword="null"/> for no limit.</summary>
    public TunnelWatch? Watch { get; } = TunnelWatch.For(options, lease.Backend.Options.Drain);

    /// <summary>The clock of the watch, in milliseconds.</summary>
    public long Now => (long)time.GetElapsedTime(0).TotalMilliseconds;

    public override bool IsWatched => Watch is not null;

    public override void LookAtPeers(bool isLate)
    {
        if (Watch is { } watch && _relay is { } relay && _goodbye is null && !_isEnding) relay.LookAtPeers(watch, isLate);
    }

    /// <summary>The relay is about to run.</summary>
    public void Attach(Relay relay)
    {
        Watch?.Begin(Now);
        lock (_lock) _relay = relay;
        if (_goodbye is { } goodbye) relay.Say(goodbye);
    }

    /// <summary>Nothing more goes to the client. A goodbye would come too late.</summary>
    public void BeginEnd()
    {
        lock (_lock) _isEnding = true;
    }

    public override void Say(Goodbye goodbye)
    {
        PipeGoodbye said;
        lock (_lock)
        {
            if (_isClosed || _isEnding || _goodbye is not null) return;
            _goodbye = said = new PipeGoodbye(goodbye, Until(goodbye), time.GetTimestamp());
            Note(goodbye);
        }

        _relay?.Say(said);
    }

    public override void EndOverdue()
    {
        if (_goodbye is not { } goodbye || _isEnding)
        {
            base.EndOverdue();
            return;
        }

        goodbye.Until = Until(goodbye.Word);
        if (_relay is { } relay && !relay.Hurry(goodbye)) Abort(goodbye.Word.End); // Before it is attached, nothing was said yet.
    }

    /// <summary>One side has finished; only the other speaks from now on.</summary>
    public void NoteHalfClosed() => _isHalfClosed = true;

    // Byte counts are kept anyway, so no message has to read the clock.
    public override bool IsOverdue()
    {
        if (_goodbye is { } goodbye && !_isEnding) return time.GetTimestamp() >= goodbye.Until;
        var moved = Moved;
        if (moved != _seen)
        {
            _seen = moved;
            _stillSince = time.GetTimestamp();
            return false;
        }

        var isHalfClosedLimit = _isHalfClosed && !(options.IdleTimeout < options.HalfClosedTimeout);
        var limit = isHalfClosedLimit ? options.HalfClosedTimeout ?? options.IdleTimeout : options.IdleTimeout;
        var still = time.GetElapsedTime(_stillSince);
        return limit is { } longest && still >= longest * 0.75 && Watch is not { IsAwaited: true } && !IsMoving() && still >= longest;
    }

    private long Until(Goodbye goodbye) => time.GetTimestamp() + (long)(goodbye.CloseTimeout.TotalSeconds * time.TimestampFrequency);

    // The sweep has looked less than a second ago.
    public override long ReadIdle() => Moved == _seen ? (long)time.GetElapsedTime(_stillSince).TotalMilliseconds : 0;

    public override long ReadLastActive(long now) => Moved == _seen ? (long)time.GetElapsedTime(0, _stillSince).TotalMilliseconds : now;

    private long Moved => BytesToBackend + BytesToClient + ToBackend.Acknowledged + ToClient.Acknowledged + (_isHalfClosed ? 1 : 0);

    private static TimeSpan PatienceOf(TunnelOptions options) => options.HalfClosedTimeout ?? options.IdleTimeout ?? LongestDelivery;

    // A slow reader may spend a long time on bytes that are already in the kernel.
    private bool IsMoving()
    {
        var acknowledged = (SendQueue.Of(client.Socket)?.Acknowledged ?? 0) + (SendQueue.Of(SocketView.Of(backend.Socket))?.Acknowledged ?? 0);
        var isUndisturbed = Watch is null || Watch.IsUndisturbed();
        var isMoving = isUndisturbed && _lookedAt == _stillSince && acknowledged != _acknowledged;
        if (isMoving) _stillSince = time.GetTimestamp();
        (_lookedAt, _acknowledged) = (_stillSince, acknowledged);
        return isMoving;
    }

    public override void Abort(EndReason reason)
    {
        lock (_lock)
        {
            if (_isClosed) return; // The client's connection may serve other requests by now.
            if (reason == EndReason.IdleTimeout) NoteOverdue();
            else NoteAbort(reason);
            client.Abort();
            backend.Abort();
            ToClient.Cancel();
            ToBackend.Cancel();
        }
    }

    /// <summary>Breaks the connection of a side that gives no sign of life. The other one is told.</summary>
    public void Abort(bool isClient)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            if (isClient) client.Abort();
            else backend.Abort();
            (isClient ? ToClient : ToBackend).Cancel();
        }
    }

    /// <summary>Closes the backend's connection.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
        backend.Dispose();
    }
}
