using System.Threading.Channels;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>What one reader has still to be told. Whoever tells never waits; when there is too much, all of it is replaced by a snapshot.</summary>
internal sealed class StateFeed
{
    private readonly StateReader _reader;
    private readonly Channel<Pending> _pending;
    private readonly Dictionary<Backend, (BackendState State, BackendMode Mode, bool IsEligible, int Weight)> _backends = [];
    private readonly Dictionary<string, (bool IsPanicking, bool IsAwaited)> _pools = [];
    private readonly Lock _lock = new();
    private long? _revision;
    private bool _hasBegun;
    private long _missed;

    /// <param name="reader">Reads what is told.</param>
    /// <param name="capacity">How many changes wait for the reader at most.</param>
    public StateFeed(StateReader reader, int capacity)
    {
        _reader = reader;
        _pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(capacity) { SingleReader = true });
    }

    /// <summary>Learns what is there. The feed must hear of changes before, so that none is lost between the two.</summary>
    public void Begin(BackendRegistry registry)
    {
        lock (_lock) Learn(registry.Current);
    }

    /// <summary>The registry changed; called under its lock.</summary>
    public void Changed(RegistrySnapshot snapshot)
    {
        lock (_lock)
        {
            if (_revision is null) return;
            if (snapshot.Revision == _revision)
            {
                foreach (var pool in snapshot.Pools) Compare(pool);
                return;
            }

            Tell(new ConfigurationChanged { At = _reader.Now, Snapshot = _reader.Read(snapshot) });
            Learn(snapshot);
        }
    }

    public void Drained(DrainStatus drain) => Tell(new BackendDrained { At = _reader.Now, Drain = drain });

    public void Opened(Tunnel tunnel) => Tell(new Pending(_reader.Now, tunnel));

    public void Ended(Tunnel tunnel) => Tell(new TunnelEnded
    {
        At = _reader.Now,
        Tunnel = _reader.Read(tunnel),
        Reason = tunnel.EndReason,
        Farewell = tunnel.Farewell,
        ClientCloseCode = LineReader.Some(tunnel.ClientCloseCode),
        BackendCloseCode = LineReader.Some(tunnel.BackendCloseCode),
        OwnCloseCode = LineReader.Some(tunnel.OwnCloseCode),
    });

    /// <summary>A handshake or a request was refused.</summary>
    public void Refused(AccessLine line) => Tell(new RequestRefused { At = line.EndedAt, Refused = LineReader.ReadRefusal(line) });

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
        if (next.Change is not null) return next.Change;
        var tunnel = await _reader.ReadAsync(next.Opened!).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        return new TunnelOpened { At = next.At, Tunnel = tunnel };
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

    private void Tell(StateChange change) => Tell(new Pending(change.At, null, change));

    private void Tell(Pending change)
    {
        lock (_lock)
        {
            if (_missed > 0 || !_pending.Writer.TryWrite(change)) _missed++;
        }
    }

    private void Compare(PoolSnapshot pool)
    {
        foreach (var backend in pool.Backends)
        {
            var (before, after) = (_backends[backend], Of(backend, pool));
            if (before == after) continue;
            _backends[backend] = after;
            Tell(new BackendChanged { At = _reader.Now, Backend = StateReader.Read(backend, pool), Before = before.State });
        }

        var now = Of(pool);
        if (_pools[pool.Name] == now) return;
        _pools[pool.Name] = now;
        Tell(new PoolChanged { At = _reader.Now, Pool = StateReader.Read(pool) });
    }

    private void Learn(RegistrySnapshot snapshot)
    {
        _revision = snapshot.Revision;
        _backends.Clear();
        _pools.Clear();
        foreach (var pool in snapshot.Pools)
        {
            _pools[pool.Name] = Of(pool);
            foreach (var backend in pool.Backends) _backends[backend] = Of(backend, pool);
        }
    }

    private static (BackendState State, BackendMode Mode, bool IsEligible, int Weight) Of(Backend backend, PoolSnapshot pool)
        => (backend.State, backend.Mode, pool.Eligible.Contains(backend), backend.Weight);

    private static (bool IsPanicking, bool IsAwaited) Of(PoolSnapshot pool) => (pool.IsPanicking, pool.IsUnknown);

    // A tunnel that opened is looked at by the reader: whoever tells of it may be on the thread that moves its bytes.
    private readonly record struct Pending(DateTimeOffset At, Tunnel? Opened, StateChange? Change = null);
}
