using System.Globalization;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Turns what lives in the process into what is shown of it.</summary>
internal sealed class StateReader(BackendRegistry registry, TunnelTable tunnels, RawLane? lane = null)
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
        Process = VitalsReader.ReadProcess(lane),
    };

    /// <summary>Reads tunnels that are open, with both their tuples and how long they were idle.</summary>
    /// <param name="some">The tunnels.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="rates">What each carries, as far as is known.</param>
    public async Task<IReadOnlyList<TunnelStatus>> ReadAsync(Tunnel[] some, CancellationToken cancellationToken, TunnelRate?[]? rates = null)
    {
        var tuples = await ReadTuplesAsync(some, cancellationToken).ConfigureAwait(false);
        var idle = await Idleness.ReadAsync(some, tunnels.Time).WaitAsync(cancellationToken).ConfigureAwait(false);
        return [.. some.Select((tunnel, place) => Read(tunnel, tuples[place], TimeSpan.FromMilliseconds(idle[place]), rates?[place]))];
    }

    /// <summary>Reads the tuples of connections to backends: asks where they were not recorded.</summary>
    public static async Task<ConnectionTuple?[]> ReadTuplesAsync(Tunnel[] some, CancellationToken cancellationToken)
    {
        var read = Array.ConvertAll(some, static tunnel => tunnel.Record?.Upstream);
        foreach (var turn in Enumerable.Range(0, some.Length).Where(place => read[place] is null).ToArray().Chunk(TuplesPerTurn))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var asked = turn.Select(place => some[place].ReadBackendTupleAsync().AsTask());
            var answers = await Task.WhenAll(asked).WaitAsync(cancellationToken).ConfigureAwait(false);
            foreach (var (i, place) in turn.Index()) read[place] = answers[i];
        }

        return read;
    }

    /// <summary>Reads a tunnel that is open, with both its tuples.</summary>
    public async ValueTask<TunnelStatus> ReadAsync(Tunnel tunnel)
        => Read(tunnel, tunnel.Record?.Upstream ?? await tunnel.ReadBackendTupleAsync().ConfigureAwait(false));

    /// <summary>Reads a tunnel that may have ended.</summary>
    public TunnelStatus Read(Tunnel tunnel, ConnectionTuple? upstream = null, TimeSpan? idle = null, TunnelRate? rate = null) => new()
    {
        Id = tunnel.ConnectionId,
        Pool = tunnel.Backend.Pool,
        Backend = tunnel.Backend.Name,
        Lane = tunnel.Lane,
        Client = ToPublic(tunnel.Tuple),
        Upstream = ToPublic(upstream ?? tunnel.Record?.Upstream),
        BytesToBackend = tunnel.BytesToBackend,
        BytesToClient = tunnel.BytesToClient,
        Age = tunnels.Time.GetElapsedTime(tunnel.OpenedAt),
        Idle = idle,
        Reactor = tunnel.Reactor?.Number,
        ReactorKind = tunnel.Reactor?.KernelName,
        Tls = TlsOf(tunnel),
        Pin = PinOf(tunnel),
        Tie = (TunnelTie)(int)tunnel.Tie,
        HasFrames = tunnel.HasFrames,
        WasTold = tunnel.WasTold,
        RateToBackend = rate?.ToBackend,
        RateToClient = rate?.ToClient,
        ForwardedClient = tunnel.ClientAddress is { } client && !client.Equals(tunnel.Tuple?.SourceAddress) ? client : null,
        Host = tunnel.Record?.Host,
        Path = tunnel.Record?.Path,
        TlsVersion = tunnel.Record?.TlsVersion,
        ChosenBy = tunnel.Record?.ChosenBy,
        PinOutcome = tunnel.Record?.Pin,
        Handshake = tunnel.Record?.Handshake,
        TraceId = tunnel.Record is { } record ? LineReader.TraceIdOf(record.TraceId) : null,
    };

    public static string TlsOf(Tunnel tunnel)
        => TunnelMatch.IsPassedThrough(tunnel) ? TlsSides.Through : TlsSides.Of(tunnel.HasClientTls, tunnel.HasBackendTls);

    /// <param name="backend">The backend.</param>
    /// <param name="pool">Its pool; <see langword="null"/> if it was removed, and only holds what it had.</param>
    public static BackendStatus Read(Backend backend, PoolSnapshot? pool) => new()
    {
        Pool = backend.Pool,
        Name = backend.Name,
        Address = backend.Address,
        State = backend.State,
        Cause = backend.IsDraining ? backend.ModeCause : backend.HealthCause,
        Mode = backend.Mode,
        Since = backend.StateSince,
        IsEligible = pool?.Eligible.Contains(backend) == true,
        Weight = backend.Weight,
        ConfiguredWeight = backend.ConfiguredWeight,
        Share = (double)backend.Share / Backend.WholeShare,
        MaxTunnels = backend.MaxTunnels,
        MaxHandshakes = backend.MaxHandshakes,
        MaxRequests = backend.MaxRequests,
        ActiveHandshakes = backend.ActiveHandshakes,
        ActiveTunnels = backend.ActiveTunnels,
        ActiveRequests = backend.ActiveRequests,
        BytesToBackend = backend.BytesToBackend,
        BytesToClient = backend.BytesToClient,
        Breaker = VitalsReader.BreakerOf(backend),
        Conviction = backend.Conviction is { } conviction ? VitalsReader.Read(conviction) : null,
        Probes = [.. backend.Probes.Read().Select(VitalsReader.Read)],
        Recent = backend.Work is { } work ? VitalsReader.Read(work.Read()) : null,
    };

    public static PoolStatus Read(PoolSnapshot pool) => new()
    {
        Name = pool.Name,
        Policy = pool.Options.Policy,
        IsPanicking = pool.IsPanicking,
        IsAwaited = pool.IsUnknown,
        Backends = [.. pool.Backends.Select(backend => Read(backend, pool))],
        WebSockets = pool.Options.WebSockets,
        IsPassthrough = pool.Options.IsPassthrough,
        Affinity = [.. pool.Options.Affinity.Rules.SelectMany(AffinityRules.Kinds)],
        WaitingHandshakes = pool.Lines.Handshakes.Count,
        WaitingRequests = pool.Lines.Requests.Count,
    };

    // Enough to tell clients apart, and to find one in the backend's log.
    private static string? PinOf(Tunnel tunnel) => tunnel.Pin is var pin && pin == default ? null : pin.ToString("x32", CultureInfo.InvariantCulture)[..8];

    public static TunnelTuple? ToPublic(ConnectionTuple? tuple)
        => tuple is { } known ? new TunnelTuple(known.Source.ToEndPoint(), known.Destination.ToEndPoint()) : null;
}
