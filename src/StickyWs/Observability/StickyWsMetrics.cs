using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace StickyWs.Observability;

/// <summary>
/// The meter <c>StickyWs</c>. Times are in seconds; nothing that a client sends becomes a tag. What the registry knows (open tunnels, bytes, states)
/// is read on collection, so no message pays for it.
/// </summary>
internal sealed class StickyWsMetrics
{
    public const string MeterName = "StickyWs";

    /// <summary>A side of the balancer whose TLS it does.</summary>
    public const string ClientSide = "client", BackendSide = "backend";

    /// <summary>What waits, or is refused: the tag <c>stickyws.work</c>.</summary>
    public const string HandshakeWork = "handshake", RequestWork = "request", UpgradeWork = "upgrade", ConnectionWork = "connection";

    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _dialFailures;
    private readonly Counter<long> _tunnelsOpened;
    private readonly Counter<long> _tunnelsEnded;
    private readonly Counter<long> _rebalanced;
    private readonly Counter<long> _suspicions;
    private readonly Counter<long> _verdicts;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _configurations;
    private readonly Counter<long> _affinity;
    private readonly Counter<long> _pinStoreFailures;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _dials;
    private readonly Histogram<double> _probes;
    private readonly Histogram<double> _handshakes;
    private readonly Histogram<double> _tlsHandshakes;
    private readonly Histogram<double> _tunnelDuration;
    private readonly Histogram<double> _waits;
    private readonly Histogram<double> _drains;

    public StickyWsMetrics(IMeterFactory factory)
    {
        Meter = factory.Create(MeterName);
        _requests = Count("stickyws.requests", "{request}", "Plain HTTP requests.");
        _retries = Count("stickyws.retries", "{attempt}", "Attempts that were retried on another backend.");
        _refusals = Count("stickyws.refusals", "{refusal}", "Handshakes, requests, upgrades and connections that the balancer itself refused.");
        _dialFailures = Count("stickyws.dial.failures", "{attempt}", "Failed connects to a backend.");
        _tunnelsOpened = Count("stickyws.tunnels.opened", "{tunnel}", "Tunnels opened.");
        _tunnelsEnded = Count("stickyws.tunnels.ended", "{tunnel}", "Tunnels ended.");
        _rebalanced = Count("stickyws.tunnels.rebalanced", "{tunnel}", "Tunnels that were told to go because their backend was crowded.");
        _suspicions = Count("stickyws.backend.suspicions", "{suspicion}", "Times that a backend was suspected, because its tunnels died young.");
        _verdicts = Count("stickyws.backend.verdicts", "{verdict}", "Times that the health of a backend was found to be another.");
        _affinity = Count("stickyws.affinity", "{request}", "Requests and handshakes of pools with affinity.");
        _pinStoreFailures = Count("stickyws.pin_store.failures", "{call}", "Failed calls to the shared pin store.");
        _configurations = Count("stickyws.configuration.changes", "{change}", "Changed configurations that were applied or refused.");
        _requestDuration = Times("stickyws.request.duration", "A plain request, from the choice of its pool to the last byte of its answer.", Buckets.Requests);
        _dials = Times("stickyws.dial.duration", "One attempt to connect to a backend: name, TCP and TLS.", Buckets.Moments);
        _probes = Times("stickyws.probe.duration", "One probe, with its retries.", Buckets.Moments);
        _handshakes = Times("stickyws.handshake.duration",
            "A handshake, from the routed head to the outcome. Of TLS that is passed through, from the ClientHello to the first byte of the answer.",
            Buckets.Moments);
        _tlsHandshakes = Times("stickyws.tls.handshake.duration",
            "A TLS handshake of the raw lane. Of a client, from the first look for its ClientHello to the last message. "
                + "Of a backend, from our ClientHello to the judgement of its certificate.",
            Buckets.Moments);
        _waits = Times("stickyws.queue.duration", "A wait for a place at a backend. With an error type, it got none.", Buckets.Moments);
        _tunnelDuration = Times("stickyws.tunnel.duration", "How long an ended tunnel was open.", Buckets.Lives);
        _drains = Times("stickyws.drain.duration", "The drain of a backend, until it was empty.", Buckets.Lives);
    }

    public Meter Meter { get; }

    /// <summary>Whether anything collects the metrics of plain HTTP requests.</summary>
    public bool MeasuresRequests => _requests.Enabled || _requestDuration.Enabled || _refusals.Enabled;

    /// <param name="pool">The pool.</param>
    /// <param name="backend">The backend that was tried last; <see langword="null"/> if none was.</param>
    /// <param name="status">The status that the client got.</param>
    /// <param name="errorType">What went wrong, from a fixed set of words; <see langword="null"/> if nothing did.</param>
    /// <param name="duration">The total time of the request.</param>
    public void RequestEnded(string pool, string? backend, int status, string? errorType, TimeSpan duration)
    {
        var tags = TagsOf(pool, backend);
        tags.Add("http.response.status_class", StatusClass(status));
        _requests.Add(1, tags);
        Record(_requestDuration, duration, tags, errorType);
        if (status >= 500 && errorType is not null) Refused(pool, RequestWork, errorType);
    }

    public void Retried(string pool, string backend) => _retries.Add(1, TagsOf(pool, backend));

    public void DialFailed(string pool, string backend, string errorType)
        => _dialFailures.Add(1, Pool(pool), Backend(backend), new("error.type", errorType));

    public void DialEnded(string pool, string backend, string lane, string? errorType, TimeSpan duration)
        => Record(_dials, duration, [Pool(pool), Backend(backend), Lane(lane)], errorType);

    public void ProbeEnded(string pool, string backend, string? errorType, TimeSpan duration)
        => Record(_probes, duration, TagsOf(pool, backend), errorType);

    public void HandshakeEnded(string pool, string? backend, string lane, HandshakeOutcome outcome, TimeSpan duration)
    {
        if (!_handshakes.Enabled && !_refusals.Enabled) return; // The name of an outcome is allocated.
        var word = outcome.ToString();
        var tags = TagsOf(pool, backend);
        tags.Add(Lane(lane));
        tags.Add("stickyws.handshake.outcome", word);
        _handshakes.Record(duration.TotalSeconds, tags);
        if (outcome is not (HandshakeOutcome.Opened or HandshakeOutcome.Declined or HandshakeOutcome.ClientGone)) Refused(pool, HandshakeWork, word);
    }

    /// <param name="pool">The pool; <see langword="null"/> if it was not known yet.</param>
    /// <param name="work">What was refused, one of the constants.</param>
    /// <param name="errorType">Why, from a fixed set of words.</param>
    public void Refused(string? pool, string work, string errorType)
    {
        var error = new KeyValuePair<string, object?>("error.type", errorType);
        if (pool is null) _refusals.Add(1, Work(work), error);
        else _refusals.Add(1, Pool(pool), Work(work), error);
    }

    /// <param name="side"><see cref="ClientSide"/> or <see cref="BackendSide"/>.</param>
    /// <param name="version">Of TLS, as <c>1.3</c>; <see langword="null"/> if none was agreed on.</param>
    /// <param name="isResumed">Whether a session was resumed.</param>
    /// <param name="errorType">What went wrong, from a fixed set of words; <see langword="null"/> if nothing did.</param>
    /// <param name="duration">From the first look for a ClientHello, or from our own, to the last message or the judgement of the certificate.</param>
    public void TlsHandshakeEnded(string side, string? version, bool isResumed, string? errorType, TimeSpan duration)
    {
        if (!_tlsHandshakes.Enabled) return;
        var tags = new TagList { new("stickyws.tls.side", side) };
        if (version is not null)
        {
            tags.Add("tls.protocol.version", version);
            tags.Add("tls.resumed", isResumed);
        }

        Record(_tlsHandshakes, duration, tags, errorType);
    }

    /// <param name="pool">The pool.</param>
    /// <param name="work">What waited, see <see cref="Work"/>.</param>
    /// <param name="errorType">Why it got no place, from a fixed set of words; <see langword="null"/> if it got one.</param>
    /// <param name="duration">How long it waited.</param>
    public void Waited(string pool, string work, string? errorType, TimeSpan duration)
        => Record(_waits, duration, [Pool(pool), Work(work)], errorType);

    public void TunnelOpened(string pool, string backend, string lane)
        => _tunnelsOpened.Add(1, Pool(pool), Backend(backend), Lane(lane));

    public void TunnelEnded(string pool, string backend, string lane, EndReason reason, string farewell, TimeSpan duration)
    {
        if (!_tunnelsEnded.Enabled && !_tunnelDuration.Enabled) return; // The name of a reason is allocated.
        var tags = new TagList
        {
            Pool(pool), Backend(backend), Lane(lane), new("stickyws.end_reason", reason.ToString()), new("stickyws.farewell", farewell),
        };
        _tunnelsEnded.Add(1, tags);
        _tunnelDuration.Record(duration.TotalSeconds, tags);
    }

    public void Rebalanced(string pool, string backend) => _rebalanced.Add(1, Pool(pool), Backend(backend));

    public void Suspected(string pool, string backend) => _suspicions.Add(1, Pool(pool), Backend(backend));

    /// <param name="pool">The pool.</param>
    /// <param name="backend">The backend.</param>
    /// <param name="health">What it was found to be.</param>
    /// <param name="source">By whom: <c>probe</c>, <c>traffic</c> or <c>configuration</c>.</param>
    public void Judged(string pool, string backend, string health, string source)
        => _verdicts.Add(1, [Pool(pool), Backend(backend), new("stickyws.state", health), new("stickyws.verdict.source", source)]);

    public void DrainEnded(string pool, string backend, string mode, string outcome, TimeSpan duration)
        => Record(_drains, duration, [Pool(pool), Backend(backend), Mode(mode), new("stickyws.drain.outcome", outcome)], errorType: null);

    public void ConfigurationChanged(bool isApplied) => _configurations.Add(1, new KeyValuePair<string, object?>(
        "stickyws.configuration.outcome", isApplied ? "applied" : "refused"));

    public void Affinity(string pool, string outcome) => _affinity.Add(1, Pool(pool), new("stickyws.affinity.outcome", outcome));

    public void PinStoreFailed(string operation, string errorType)
        => _pinStoreFailures.Add(1, new("stickyws.pin_store.operation", operation), new KeyValuePair<string, object?>("error.type", errorType));

    public static KeyValuePair<string, object?> Pool(string pool) => new("stickyws.pool", pool);

    public static KeyValuePair<string, object?> Backend(string backend) => new("stickyws.backend", backend);

    /// <param name="mode">How far a backend is drained.</param>
    public static KeyValuePair<string, object?> Mode(string mode) => new("stickyws.mode", mode);

    /// <param name="lane">One of <see cref="LaneNames"/>.</param>
    public static KeyValuePair<string, object?> Lane(string lane) => new("stickyws.lane", lane);

    /// <param name="work">One of the constants.</param>
    public static KeyValuePair<string, object?> Work(string work) => new("stickyws.work", work);

    // Leave out a tag without a value: exporters treat it differently.
    private static TagList TagsOf(string pool, string? backend) => backend is null ? [Pool(pool)] : [Pool(pool), Backend(backend)];

    private static void Record(Histogram<double> histogram, TimeSpan duration, TagList tags, string? errorType)
    {
        if (errorType is not null) tags.Add("error.type", errorType);
        histogram.Record(duration.TotalSeconds, tags);
    }

    private Counter<long> Count(string name, string unit, string description) => Meter.CreateCounter<long>(name, unit, description);

    private Histogram<double> Times(string name, string description, InstrumentAdvice<double> buckets)
        => Meter.CreateHistogram(name, "s", description, tags: null, buckets);

    private static string StatusClass(int status) => status switch
    {
        < 200 => "1xx",
        < 300 => "2xx",
        < 400 => "3xx",
        < 500 => "4xx",
        _ => "5xx",
    };
}
