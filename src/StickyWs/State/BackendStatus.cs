using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.State;

/// <summary>A backend at one moment.</summary>
public sealed class BackendStatus
{
    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Its name within the pool.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens: scheme, host and port.</summary>
    public required Uri Address { get; init; }

    /// <summary>Its state.</summary>
    public required BackendState State { get; init; }

    /// <summary>Why it is in this state, as the log says it; <see langword="null"/> while nothing is known.</summary>
    public string? Cause { get; init; }

    /// <summary>Whether it is in service or drains, and how.</summary>
    public BackendMode Mode { get; init; }

    /// <summary>Since when it is in this state.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Whether it gets new work: it is healthy, or its pool panics.</summary>
    public required bool IsEligible { get; init; }

    /// <summary>Its share of new work, 1 to 256.</summary>
    public required int Weight { get; init; }

    /// <summary>What its <see cref="Weight"/> is by the configuration; an order may have changed it since.</summary>
    public int ConfiguredWeight { get; init; }

    /// <summary>The part of its weight that it has: less than 1 while it is spared because it is new or back (<c>SlowStart</c>).</summary>
    public double Share { get; init; } = 1;

    /// <summary>The most tunnels that it holds; <see langword="null"/> for no limit.</summary>
    public int? MaxTunnels { get; init; }

    /// <summary>The most handshakes in progress; <see langword="null"/> for no limit.</summary>
    public int? MaxHandshakes { get; init; }

    /// <summary>The most plain requests in progress; <see langword="null"/> for no limit.</summary>
    public int? MaxRequests { get; init; }

    /// <summary>Handshakes in progress.</summary>
    public int ActiveHandshakes { get; init; }

    /// <summary>Tunnels that it holds, handshakes under way included.</summary>
    public required int ActiveTunnels { get; init; }

    /// <summary>Plain HTTP requests that it works on.</summary>
    public required int ActiveRequests { get; init; }

    /// <summary>Bytes that tunnels have carried to it.</summary>
    public required long BytesToBackend { get; init; }

    /// <summary>Bytes that tunnels have carried from it.</summary>
    public required long BytesToClient { get; init; }

    /// <summary>What its circuit breaker does.</summary>
    public BreakerState Breaker { get; init; }

    /// <summary>The last verdict that took it out; <see langword="null"/> if there was none.</summary>
    public BackendConviction? Conviction { get; init; }

    /// <summary>Its last 30 probes, the oldest first; none if nothing probes it.</summary>
    public IReadOnlyList<ProbeStatus> Probes { get; init; } = [];

    /// <summary>What it did in the last minute; <see langword="null"/> of a backend that was added since somebody looked.</summary>
    public RecentWork? Recent { get; init; }
}
