using StickyWs.Backends;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Turns what lives in the process into what is shown of it.</summary>
internal sealed class StateReader(BackendRegistry registry, TunnelTable tunnels)
{
    // At a time on one thread of the raw lane, between the bytes of others.
    private const int TuplesPerTurn = 64;

    public DateTimeOffset Now => tunnels.Time.GetUtcNow();

    public StateSnapshot Read() => Read(registry.Current);

    public StateSnapshot Read(RegistrySnapshot snapshot) => new()
    {
        At = Now,
        Revision = snapshot.Revision,
        Tunnels = tunnels.Count,
        Pools = [.. snapshot.Pools.Select(Read)],
    };

    /// <summary>Reads tunnels that are open, with both their tuples and how long they were idle.</summary>
    public async Task<IReadOnlyList<TunnelStatus>> ReadAsync(Tunnel[] some, CancellationToken cancellationToken)
    {
        var tuples = await ReadTuplesAsync(some, cancellationToken).ConfigureAwait(false);
        var idle = await Idleness.ReadAsync(some, tunnels.Time).WaitAsync(cancellationToken).ConfigureAwait(false);
        return [.. some.Select((tunnel, place) => Read(tunnel, tuples[place], TimeSpan.FromMilliseconds(idle[place])))];
    }

    /// <summary>Asks for the tuples of connections to backends.</summary>
    public static async Task<ConnectionTuple?[]> ReadTuplesAsync(Tunnel[] some, CancellationToken cancellationToken)
    {
        var read = new List<ConnectionTuple?>(some.Length);
        foreach (var turn in some.Chunk(TuplesPerTurn))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var asked = turn.Select(tunnel => tunnel.ReadBackendTupleAsync().AsTask());
            read.AddRange(await Task.WhenAll(asked).WaitAsync(cancellationToken).ConfigureAwait(false));
        }

        return [.. read];
    }

    /// <summary>Reads a tunnel that is open, with both its tuples.</summary>
    public async ValueTask<TunnelStatus> ReadAsync(Tunnel tunnel) => Read(tunnel, await tunnel.ReadBackendTupleAsync().ConfigureAwait(false));

    /// <summary>Reads a tunnel that may have ended.</summary>
    public TunnelStatus Read(Tunnel tunnel, ConnectionTuple? upstream = null, TimeSpan? idle = null) => new()
    {
        Id = tunnel.ConnectionId,
        Pool = tunnel.Backend.Pool,
        Backend = tunnel.Backend.Name,
        Lane = tunnel.Lane,
        Client = ToPublic(tunnel.Tuple),
        Upstream = ToPublic(upstream),
        BytesToBackend = tunnel.BytesToBackend,
        BytesToClient = tunnel.BytesToClient,
        Age = tunnels.Time.GetElapsedTime(tunnel.OpenedAt),
        Idle = idle,
    };

    public static BackendStatus Read(Backend backend, PoolSnapshot pool) => new()
    {
        Pool = backend.Pool,
        Name = backend.Name,
        Address = backend.Address,
        State = backend.State,
        Cause = backend.IsDraining ? backend.ModeCause : backend.HealthCause,
        Mode = backend.Mode,
        Since = backend.StateSince,
        IsEligible = pool.Eligible.Contains(backend),
        Weight = backend.Weight,
        MaxTunnels = backend.MaxTunnels,
        ActiveTunnels = backend.ActiveTunnels,
        ActiveRequests = backend.ActiveRequests,
        BytesToBackend = backend.BytesToBackend,
        BytesToClient = backend.BytesToClient,
    };

    public static PoolStatus Read(PoolSnapshot pool) => new()
    {
        Name = pool.Name,
        Policy = pool.Options.Policy,
        IsPanicking = pool.IsPanicking,
        IsAwaited = pool.IsUnknown,
        Backends = [.. pool.Backends.Select(backend => Read(backend, pool))],
    };

    private static TunnelTuple? ToPublic(ConnectionTuple? tuple)
        => tuple is { } known ? new TunnelTuple(known.Source.ToEndPoint(), known.Destination.ToEndPoint()) : null;
}
