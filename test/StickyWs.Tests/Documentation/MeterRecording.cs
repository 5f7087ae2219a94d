using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Hosting;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Documentation;

/// <summary>What an exporter sees of the meter when everything has been measured once: instruments, and the tags that they ever have.</summary>
internal sealed class MeterRecording : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Dictionary<Instrument, HashSet<string>> _tags = [];
    private readonly MeterListener _listener = new();
    private readonly StickyWsMetrics _metrics;

    public MeterRecording()
    {
        _metrics = new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>());
        var registry = Fleet.Registry(Fleet.Options(1));
        new RegistryMetrics(_metrics, new Pins(registry, TimeProvider.System)).Observe(registry);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != _metrics.Meter) return;
            _tags.Add(instrument, []);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.Start();
    }

    public IEnumerable<Instrumented> Record()
    {
        MeasureAll();
        _listener.RecordObservableInstruments();
        return _tags.Select(pair => new Instrumented(pair.Key.Name, KindOf(pair.Key), pair.Key.Unit ?? "",
            string.Join(", ", pair.Value.Order(StringComparer.Ordinal))));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    private void MeasureAll()
    {
        _metrics.RequestEnded("p", "a", 502, "NoAnswer", TimeSpan.Zero);
        _metrics.Retried("p", "a");
        _metrics.DialFailed("p", "a", "timeout");
        _metrics.DialEnded("p", "a", LaneNames.Raw, "timeout", TimeSpan.Zero);
        _metrics.ProbeEnded("p", "a", "Refused", TimeSpan.Zero);
        _metrics.HandshakeEnded("p", "a", LaneNames.Raw, HandshakeOutcome.Opened, TimeSpan.Zero);
        _metrics.TlsHandshakeEnded(StickyWsMetrics.ClientSide, "1.3", isResumed: true, "tls", TimeSpan.Zero);
        _metrics.Waited("p", "handshake", "QueueFull", TimeSpan.Zero);
        _metrics.TunnelOpened("p", "a", LaneNames.Raw);
        _metrics.TunnelEnded("p", "a", LaneNames.Raw, EndReason.ClientClosed, Farewell.Both, TimeSpan.Zero);
        _metrics.Rebalanced("p", "a");
        _metrics.Suspected("p", "a");
        _metrics.Affinity("p", "new");
        _metrics.PinStoreFailed("find", "timeout");
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
