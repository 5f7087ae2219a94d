using StickyWs.Observability;

namespace StickyWs.Backends;

// What is kept of it for those who look.
public sealed partial class Backend
{
    private volatile Conviction? _conviction;
    private volatile WorkWindow? _work;

    /// <summary>Its last probes.</summary>
    internal ProbeHistory Probes { get; } = new();

    /// <summary>The last verdict that took it out; <see langword="null"/> if there was none.</summary>
    internal Conviction? Conviction => _conviction;

    /// <summary>What it did in the last minute; <see langword="null"/> while nobody looks.</summary>
    internal WorkWindow? Work => _work;

    /// <summary>Somebody looks: what it does is counted from now on.</summary>
    internal WorkWindow Watch(TimeProvider time)
    {
        if (_work is { } work) return work;
#pragma warning disable CS0420 // The exchange is a fence of its own.
        return Interlocked.CompareExchange(ref _work, new WorkWindow(time), null) ?? _work!;
#pragma warning restore CS0420
    }

    /// <summary>Nobody looks any more.</summary>
    internal void Unwatch() => _work = null;

    /// <summary>A handshake that it was asked for has ended.</summary>
    internal void NoteHandshake(HandshakeOutcome outcome, TimeSpan duration)
    {
        if (_work is not { } work) return;
        if (outcome is HandshakeOutcome.Opened or HandshakeOutcome.Declined) work.CountHandshake(duration);
        if (outcome is not (HandshakeOutcome.Opened or HandshakeOutcome.ClientGone)) work.Count(WorkCounter.FailedHandshakes);
    }

    /// <summary>A plain request that it was asked for has ended.</summary>
    internal void NoteRequest(bool isFailed, TimeSpan duration)
    {
        if (_work is not { } work) return;
        if (isFailed) work.Count(WorkCounter.FailedRequests);
        else work.CountRequest(duration);
    }

    /// <summary>Something happened at it.</summary>
    internal void Note(WorkCounter counter) => _work?.Count(counter);

    private void Judge(BackendState health, string cause, DateTimeOffset at, bool isSuspicion, bool isHearsay)
    {
        if (health == BackendState.Unhealthy) _conviction = new Conviction(at, cause, isHearsay, isSuspicion);
        else if (_conviction is { Until: null } last) _conviction = last with { Until = at };
    }
}
