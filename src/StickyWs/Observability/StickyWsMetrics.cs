using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace StickyWs.Observability;

/// <summary>
/// The meter <c>StickyWs</c>. Times are seconds; a client's address is never a tag. What the registry knows (tunnels open, bytes,
/// states) is read when somebody collects, so that no message pays for it.
/// </summary>
internal sealed class StickyWsMetrics
{
    public const string MeterName = "StickyWs";

    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _dialFailures;
    private readonly Counter<long> _tunnelsOpened;
    private readonly Counter<long> _tunnelsEnded;
    private readonly Counter<long> _affinity;
    private readonly Counter<long> _pinStoreFailures;
    private readonly Histogram<double> _handshakes;
    private readonly Histogram<double> _tunnelDuration;

    public StickyWsMetrics(IMeterFactory factory)
    {
        Meter = factory.Create(MeterName);
        _requests = Meter.CreateCounter<long>("stickyws.requests", "{request}", "Plain HTTP requests by backend and status class.");
        _retries = Meter.CreateCounter<long>("stickyws.retries", "{attempt}", "Attempts that were repeated on another backend.");
        _dialFailures = Meter.CreateCounter<long>("stickyws.dial.failures", "{attempt}", "Connects to a backend that failed.");
        _tunnelsOpened = Meter.CreateCounter<long>("stickyws.tunnels.opened", "{tunnel}", "Tunnels opened.");
        _tunnelsEnded = Meter.CreateCounter<long>("stickyws.tunnels.ended", "{tunnel}", "Tunnels ended, by reason.");
        _affinity = Meter.CreateCounter<long>("stickyws.affinity", "{request}", "Requests and handshakes of pools with affinity, by what became of them: new, kept, moved, held.");
        _pinStoreFailures = Meter.CreateCounter<long>("stickyws.pin_store.failures", "{call}", "Calls of the shared store of pins that gave no answer in time.");
        _handshakes = Meter.CreateHistogram<double>("stickyws.handshake.duration", "s", "WebSocket handshakes, from the routed head to the outcome.");
        _tunnelDuration = Meter.CreateHistogram<double>("stickyws.tunnel.duration", "s", "Life of a tunnel, by end reason.");
    }

    public Meter Meter { get; }

    public void RequestEnded(string pool, string? backend, int status)
        => _requests.Add(1, Pool(pool), Backend(backend), new("http.response.status_class", StatusClass(status)));

    public void Retried(string pool, string backend) => _retries.Add(1, Pool(pool), Backend(backend));

    public void DialFailed(string pool, string backend, string errorType)
        => _dialFailures.Add(1, Pool(pool), Backend(backend), new("error.type", errorType));

    public void HandshakeEnded(string pool, string? backend, HandshakeOutcome outcome, TimeSpan duration)
        => _handshakes.Record(duration.TotalSeconds, Pool(pool), Backend(backend), new("stickyws.handshake.outcome", outcome.ToString()));

    public void TunnelOpened(string pool, string backend) => _tunnelsOpened.Add(1, Pool(pool), Backend(backend));

    public void TunnelEnded(string pool, string backend, EndReason reason, TimeSpan duration)
    {
        var tags = new TagList { Pool(pool), Backend(backend), new("stickyws.end_reason", reason.ToString()) };
        _tunnelsEnded.Add(1, tags);
        _tunnelDuration.Record(duration.TotalSeconds, tags);
    }

    public void Affinity(string pool, string outcome) => _affinity.Add(1, Pool(pool), new("stickyws.affinity.outcome", outcome));

    public void PinStoreFailed(string operation, string errorType)
        => _pinStoreFailures.Add(1, new("stickyws.pin_store.operation", operation), new KeyValuePair<string, object?>("error.type", errorType));

    public static KeyValuePair<string, object?> Pool(string pool) => new("stickyws.pool", pool);

    public static KeyValuePair<string, object?> Backend(string? backend) => new("stickyws.backend", backend);

    private static string StatusClass(int status) => status switch
    {
        < 200 => "1xx",
        < 300 => "2xx",
        < 400 => "3xx",
        < 500 => "4xx",
        _ => "5xx",
    };
}
