using System.Diagnostics;
using System.Reflection;
using StickyWs.Backends;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.State;

/// <summary>Reads how backends, and the process, are doing.</summary>
internal static class VitalsReader
{
    private static readonly string Version = VersionOf(typeof(VitalsReader).Assembly);

    private static readonly DateTimeOffset StartedAt = StartOf();

    public static ProcessStatus ReadProcess(RawLane? lane)
    {
        var reactors = lane?.Running ?? [];
        return new ProcessStatus
        {
            Version = Version,
            StartedAt = StartedAt,
            HasRawLane = reactors.Count > 0,
            ReactorKind = reactors is [var first, ..] ? first.KernelName : null,
            Obstacle = lane?.Obstacle,
            HasRawTls = lane is null ? false : lane.HasTls,
            Reactors = [.. reactors.Select(Read)],
        };
    }

    public static BreakerState BreakerOf(Backend backend)
    {
        var health = backend.Options.Health;
        if (health is { Probe: null, Passive.Enabled: false }) return BreakerState.Off;
        if (backend.Health != BackendState.Unhealthy) return BreakerState.Closed;
        if (health.Probe is not null) return BreakerState.Isolated;
        return backend.Trial == TrialState.None ? BreakerState.Open : BreakerState.HalfOpen;
    }

    public static BackendConviction Read(Conviction conviction) => new()
    {
        At = conviction.At,
        By = conviction.Cause.StartsWith("traffic:", StringComparison.Ordinal) ? "traffic"
            : conviction.Cause.Contains("probe", StringComparison.Ordinal) ? "probe" : "other",
        Cause = conviction.Cause,
        IsHearsay = conviction.IsHearsay,
        Until = conviction.Until,
    };

    public static ProbeStatus Read(ProbeRecord probe) => new() { At = probe.At, Duration = probe.Took, Failure = probe.Failure };

    public static RecentWork Read(WorkTotals work) => new()
    {
        Span = work.Span,
        Handshakes = Read(work.Handshakes),
        FailedHandshakes = work[WorkCounter.FailedHandshakes],
        Requests = Read(work.Requests),
        FailedRequests = work[WorkCounter.FailedRequests],
        Opened = work[WorkCounter.Opened],
        Ended = work[WorkCounter.Ended],
        Kept = work[WorkCounter.Kept],
        Moved = work[WorkCounter.Moved],
        Held = work[WorkCounter.Held],
        New = work[WorkCounter.New],
    };

    private static RecentTimes Read(WorkTimes times) => new() { Count = times.Count, Median = times.Median, Percentile99 = times.NinetyNinth };

    private static ReactorStatus Read(Reactor reactor) => new() { Number = reactor.Number, Sockets = reactor.Count, IsAiling = reactor.IsAiling };

    private static DateTimeOffset StartOf()
    {
        using var process = Process.GetCurrentProcess();
        return process.StartTime;
    }

    // Without the commit that a build appends.
    private static string VersionOf(Assembly assembly)
        => (assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?").Split('+')[0];
}
