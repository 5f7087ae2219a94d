using System.Threading.Channels;
using StickyWs.Backends;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>What one reader has still to be told. Whoever tells never waits; when there is too much, all of it is replaced by a snapshot.</summary>
internal sealed class StateFeed
{
    private readonly StateReader _reader;
    private readonly Channel<Pending> _pending;
    private readonly Dictionary<Backend, (BackendState State, bool IsEligible)> _known = [];
    private long _revision;
    private readonly Lock _lock = new();
    private bool _hasBegun;
    private long _missed;

    /// <param name="reader">Reads what is told.</param>
    /// <param name="capacity">How many changes wait for the reader at most.</param>
    /// <param name="snapshot">What the registry holds now.</param>
    public StateFeed(StateReader reader, int capacity, RegistrySnapshot snapshot)
    {
        _reader = reader;
        _pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(capacity) { SingleReader = true });
        Learn(snapshot);
    }

    /// <summary>The registry changed; called under its lock.</summary>
    public void Changed(RegistrySnapshot snapshot)
    {
        var now = _reader.Now;
        if (snapshot.Revision != _revision)
        {
            Tell(new Pending(new ConfigurationChanged { At = now, Snapshot = _reader.Read(snapshot) }));
            Learn(snapshot);
            return;
        }

        foreach (var pool in snapshot.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                var after = (backend.State, pool.Eligible.Contains(backend));
                var before = _known[backend];
                if (before == after) continue;
                _known[backend] = after;
                Tell(new Pending(new BackendChanged { At = now, Backend = StateReader.Read(backend, pool), Before = before.State }));
            }
        }
    }

    public void Opened(Tunnel tunnel) => Tell(new Pending(_reader.Now, tunnel));

    public void Ended(Tunnel tunnel)
        => Tell(new Pending(new TunnelEnded { At = _reader.Now, Tunnel = _reader.Read(tunnel), Reason = tunnel.EndReason, Farewell = tunnel.Farewell }));

    /// <summary>Waits for the next change.</summary>
    public async ValueTask<StateChange> NextAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var missed = CatchUp();
        if (missed > 0 || !_hasBegun)
        {
            _hasBegun = true;
            var snapshot = _reader.Read(); // May hold changes that are told after it once more, but lacks none that is not.
            return new SnapshotTaken { At = snapshot.At, Snapshot = snapshot, Missed = missed };
        }

        Pending next;
        while (!_pending.Reader.TryRead(out next)) await _pending.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
        return next.Change ?? new TunnelOpened { At = next.At, Tunnel = await _reader.ReadAsync(next.Opened!).ConfigureAwait(false) };
    }

    // Once one change is missed, those that wait are of no use either.
    private long CatchUp()
    {
        lock (_lock)
        {
            if (_missed > 0)
            {
                while (_pending.Reader.TryRead(out _)) _missed++;
            }

            var missed = _missed;
            _missed = 0;
            return missed;
        }
    }

    private void Tell(Pending change)
    {
        lock (_lock)
        {
            if (_missed > 0 || !_pending.Writer.TryWrite(change)) _missed++;
        }
    }

    private void Learn(RegistrySnapshot snapshot)
    {
        _revision = snapshot.Revision;
        _known.Clear();
        foreach (var pool in snapshot.Pools)
        {
            foreach (var backend in pool.Backends) _known[backend] = (backend.State, pool.Eligible.Contains(backend));
        }
    }

    // A tunnel that opened is looked at by the reader: whoever tells of it may be on the thread that moves its bytes.
    private readonly record struct Pending(DateTimeOffset At, Tunnel? Opened, StateChange? Change = null)
    {
        public Pending(DateTimeOffset at, Tunnel opened)
            : this(at, opened, null)
        {
        }

        public Pending(StateChange change)
            : this(change.At, null, change)
        {
        }
    }
}
