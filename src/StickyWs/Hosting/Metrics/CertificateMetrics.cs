using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>
/// When the certificates of https endpoints expire, wherever their TLS ends. Those that the application selects for each client are its own matter.
/// </summary>
internal sealed class CertificateMetrics(StickyWsMetrics metrics, TimeProvider time)
{
    // An endpoint that changes has new options, and the last certificate counts. One that is gone leaves nothing but its name.
    private readonly ConcurrentDictionary<string, (WeakReference<ListenOptions> Listen, DateTime Expires)> _endpoints = new();

    public void Observe() => metrics.Meter.CreateObservableGauge(
        "stickyws.tls.certificate.remaining", Remaining, "s",
        "How long the certificate of an https endpoint is still valid: of several, the first to expire. Absent if the application selects it.");

    public void Note(ListenOptions listen, DateTime expires) => _endpoints[listen.ToString() ?? ""] = (new(listen), expires.ToUniversalTime());

    private IEnumerable<Measurement<double>> Remaining()
    {
        foreach (var entry in _endpoints)
        {
            var (endpoint, (listen, expires)) = entry;
            if (!listen.TryGetTarget(out _)) _endpoints.TryRemove(entry); // Not one that has been noted meanwhile.
            else yield return new((expires - time.GetUtcNow().UtcDateTime).TotalSeconds, new KeyValuePair<string, object?>("stickyws.endpoint", endpoint));
        }
    }
}
