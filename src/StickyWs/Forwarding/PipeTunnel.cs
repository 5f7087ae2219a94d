using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Forwarding;

/// <summary>A tunnel of the portable lane. It owns both ends.</summary>
internal sealed class PipeTunnel(ClientLeg client, StreamBackendConnection backend, Lease lease, TunnelOptions options, long openedAt)
    : Tunnel(client.ConnectionId, lease, openedAt)
{
    private readonly Lock _lock = new();
    private bool _isClosed;
    private volatile bool _isHalfClosed;
    private long _stillSince = openedAt;
    private long _seen;

    public override string Lane => LaneNames.Portable;

    public override bool IsInMemory => client.IsInMemory;

    public StreamBackendConnection BackendConnection => backend;

    public override ConnectionTuple? Tuple => client.Tuple;

    /// <summary>The client has finished; only the backend speaks from now on.</summary>
    public void NoteHalfClosed() => _isHalfClosed = true;

    /// <summary>Whether it has been still for longer than its options allow; asked once in a while, on one thread. The bytes are counted anyway, so that no message pays for a look at the clock.</summary>
    public bool IsOverdue(TimeProvider time)
    {
        var moved = BytesToBackend + BytesToClient + (_isHalfClosed ? 1 : 0);
        if (moved != _seen)
        {
            _seen = moved;
            _stillSince = time.GetTimestamp();
            return false;
        }

        var limit = _isHalfClosed && !(options.IdleTimeout < options.HalfClosedTimeout) ? options.HalfClosedTimeout ?? options.IdleTimeout : options.IdleTimeout;
        return limit is { } longest && time.GetElapsedTime(_stillSince) >= longest;
    }

    public override void Abort(EndReason reason)
    {
        lock (_lock)
        {
            if (_isClosed) return; // Its client may be another's by now.
            if (reason == EndReason.IdleTimeout) NoteOverdue();
            else Note(reason);
            client.Abort();
            backend.Abort();
        }
    }

    /// <summary>Gives the backend's connection back.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
        backend.Dispose();
    }
}
