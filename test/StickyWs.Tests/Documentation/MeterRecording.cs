using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Draining;
using StickyWs.Hosting;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Draining;

namespace StickyWs.Tests.Documentation;

/// <summary>What an exporter sees of the meter when everything has been measured once: instruments, and the tags that they ever have.</summary>
internal sealed class MeterRecording : IDisposable
{
    private readonly DrainRig _rig = new(pool =>
    {
        foreach (var backend in pool.Backends.Values) (backend.MaxTunnels, backend.MaxHandshakes, backend.MaxRequests) = (9, 9, 9);
    });

    private readonly Dictionary<Instrument, HashSet<string>> _tags = [];
    private readonly MeterListener _listener = new();
    private readonly ListenOptions _listen = Endpoint();
    private readonly CertificateMetrics _certificates;

    public MeterRecording()
    {
        new RegistryMetrics(Metrics, new Pins(_rig.Registry, TimeProvider.System), _rig.Clock, NullLogger<RegistryMetrics>.Instance).Observe(_rig.Registry);
        new TunnelMetrics(Metrics, _rig.Tunnels, _rig.Drains).Observe(_rig.Registry);
        new ReactorMetrics(Metrics, () => (2, "the kernel is too old")).Observe();
        _certificates = new CertificateMetrics(Metrics, _rig.Clock);
        _certificates.Observe();
        _certificates.Note(_listen, _rig.Clock.GetUtcNow().UtcDateTime);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != Metrics.Meter) return;
            _tags.Add(instrument, []);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.Start();
    }

    private StickyWsMetrics Metrics => _rig.Metrics;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<Instrumented> Record()
    {
        MeasureAll();
        _rig.Open(1, isStubborn: true);
        _ = _rig.Control.StopAsync(BackendTarget.Of(Fleet.Pool, _rig.B.Name)); // Goes on while the tunnel is open.
        _listener.RecordObservableInstruments();
        return
        [
            .. _tags.Select(pair => new Instrumented(pair.Key.Name, KindOf(pair.Key), pair.Key.Unit ?? "",
                [.. pair.Value.Order(StringComparer.Ordinal)], pair.Key.Description ?? "")).OrderBy(one => one.Name, StringComparer.Ordinal),
        ];
    }

    public void Dispose()
    {
        _listener.Dispose();
        _rig.Dispose();
    }

    private static ListenOptions Endpoint()
    {
        ListenOptions? endpoint = null;
        new KestrelServerOptions().ListenLocalhost(443, listen => endpoint = listen);
        return endpoint!;
    }

    private void MeasureAll()
    {
        Metrics.RequestEnded("p", "a", 502, "NoAnswer", TimeSpan.Zero);
        Metrics.Retried("p", "a");
        Metrics.DialFailed("p", "a", "timeout");
        Metrics.DialEnded("p", "a", LaneNames.Raw, "timeout", TimeSpan.Zero);
        Metrics.ProbeEnded("p", "a", "Refused", TimeSpan.Zero);
        Metrics.HandshakeEnded("p", "a", LaneNames.Raw, HandshakeOutcome.Opened, TimeSpan.Zero);
        Metrics.TlsHandshakeEnded(StickyWsMetrics.ClientSide, "1.3", isResumed: true, "tls", TimeSpan.Zero);
        Metrics.Waited("p", StickyWsMetrics.HandshakeWork, "QueueFull", TimeSpan.Zero);
        Metrics.TunnelOpened("p", "a", LaneNames.Raw);
        Metrics.TunnelEnded("p", "a", LaneNames.Raw, EndReason.ClientClosed, Farewell.Both, TimeSpan.Zero);
        Metrics.Rebalanced("p", "a");
        Metrics.Suspected("p", "a");
        Metrics.Judged("p", "a", "Unhealthy", "probe");
        Metrics.DrainEnded("p", "a", "Stop", "Empty", TimeSpan.Zero);
        Metrics.ConfigurationChanged(isApplied: true);
        Metrics.Affinity("p", "new");
        Metrics.PinStoreFailed("find", "timeout");
    }

    private void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags) _tags[instrument].Add(tag.Key);
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" or "ObservableCounter" => "counter",
        "UpDownCounter" or "ObservableUpDownCounter" => "up-down counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "gauge",
        var name => name,
    };
}
