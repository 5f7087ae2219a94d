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

    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _dialFailures;
    private readonly Counter<long> _tunnelsOpened;
    private readonly Counter<long> _tunnelsEnded;
    private readonly Counter<long> _rebalanced;
    private readonly Counter<long> _suspicions;
    private readonly Counter<long> _affinity;
    private readonly Counter<long> _pinStoreFailures;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _dials;
    private readonly Histogram<double> _probes;
    private readonly Histogram<double> _handshakes;
    private readonly Histogram<double> _tlsHandshakes;
    private readonly Histogram<double> _tunnelDuration;
    private readonly Histogram<double> _waits;

    public StickyWsMetrics(IMeterFactory factory)
    {
        Meter = factory.Create(MeterName);
        _requests = Meter.CreateCounter<long>("stickyws.requests", "{request}", "Plain HTTP requests by backend and status class.");
        _retries = Meter.CreateCounter<long>("stickyws.retries", "{attempt}", "Attempts that were retried on another backend.");
        _dialFailures = Meter.CreateCounter<long>("stickyws.dial.failures", "{attempt}", "Failed connects to a backend.");
        _tunnelsOpened = Meter.CreateCounter<long>("stickyws.tunnels.opened", "{tunnel}", "Tunnels opened.");
        _tunnelsEnded = Meter.CreateCounter<long>("stickyws.tunnels.ended", "{tunnel}", "Tunnels ended, by end reason and farewell.");
        _rebalanced = Meter.CreateCounter<long>("stickyws.tunnels.rebalanced", "{tunnel}", "Tunnels that were told to go because their backend was crowded.");
        _suspicions = Meter.CreateCounter<long>("stickyws.backend.suspicions", "{suspicion}", "Times that a backend was suspected: its tunnels died young.");
        _affinity = Meter.CreateCounter<long>("stickyws.affinity", "{request}", "Requests and handshakes of pools with affinity, by outcome.");
        _pinStoreFailures = Meter.CreateCounter<long>("stickyws.pin_store.failures", "{call}", "Failed calls to the shared pin store.");
        _requestDuration = Times("stickyws.request.duration", "Plain HTTP requests, from routing to the end of the response.", Buckets.Requests);
        _dials = Times("stickyws.dial.duration", "Attempts to connect to a backend: name look-up, TCP and TLS.", Buckets.Moments);
        _probes = Times("stickyws.probe.duration", "Probes, with their retries.", Buckets.Moments);
        _handshakes = Times("stickyws.handshake.duration", "WebSocket handshakes, from the routed head to the outcome.", Buckets.Moments);
        _tlsHandshakes = Times("stickyws.tls.handshake.duration", "TLS handshakes of the raw lane, with the judgement of certificates.", Buckets.Moments);
        _waits = Times("stickyws.queue.duration", "Waits for a place at a backend whose limits are reached.", Buckets.Moments);
        _tunnelDuration = Times("stickyws.tunnel.duration", "Lifetime of tunnels, by end reason.", Buckets.Lives);
    }

    public Meter Meter { get; }

    /// <summary>Whether anything collects the metrics of plain HTTP requests.</summary>
    public bool MeasuresRequests => _requests.Enabled || _requestDuration.Enabled;

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
        var tags = TagsOf(pool, backend);
        tags.Add(Lane(lane));
        tags.Add("stickyws.handshake.outcome", outcome.ToString());
        _handshakes.Record(duration.TotalSeconds, tags);
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
        var tags = new TagList
        {
            Pool(pool), Backend(backend), Lane(lane), new("stickyws.end_reason", reason.ToString()), new("stickyws.farewell", farewell),
        };
        _tunnelsEnded.Add(1, tags);
        _tunnelDuration.Record(duration.TotalSeconds, tags);
    }

    public void Rebalanced(string pool, string backend) => _rebalanced.Add(1, Pool(pool), Backend(backend));

    public void Suspected(string pool, string backend) => _suspicions.Add(1, Pool(pool), Backend(backend));

    public void Affinity(string pool, string outcome) => _affinity.Add(1, Pool(pool), new("stickyws.affinity.outcome", outcome));

    public void PinStoreFailed(string operation, string errorType)
        => _pinStoreFailures.Add(1, new("stickyws.pin_store.operation", operation), new KeyValuePair<string, object?>("error.type", errorType));

    public static KeyValuePair<string, object?> Pool(string pool) => new("stickyws.pool", pool);

    public static KeyValuePair<string, object?> Backend(string backend) => new("stickyws.backend", backend);

    /// <param name="work"><c>handshake</c> or <c>request</c>.</param>
    public static KeyValuePair<string, object?> Work(string work) => new("stickyws.work", work);

    private static KeyValuePair<string, object?> Lane(string lane) => new("stickyws.lane", lane);

    // Leave out a tag without a value: exporters treat it differently.
    private static TagList TagsOf(string pool, string? backend) => backend is null ? [Pool(pool)] : [Pool(pool), Backend(backend)];

    private static void Record(Histogram<double> histogram, TimeSpan duration, TagList tags, string? errorType)
    {
        if (errorType is not null) tags.Add("error.type", errorType);
        histogram.Record(duration.TotalSeconds, tags);
    }

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
