using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace StickyWs.Examples.Quickstart;

/// <summary>How the balancer sees its backends, read from its meter, as any monitoring would read it.</summary>
internal sealed class BalancerView : IDisposable
{
    private readonly ConcurrentDictionary<string, string> _states = new();
    private readonly ConcurrentDictionary<string, int> _tunnels = new();
    private readonly MeterListener _listener = new();

    public BalancerView()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "StickyWs", Name: "stickyws.backend.state" or "stickyws.tunnels.active" })
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>(Take);
        _listener.Start();
    }

    /// <summary>The state (<c>Unknown</c>, <c>Healthy</c>, <c>Unhealthy</c> or <c>Draining</c>) and the open tunnels of a backend, at the last <see cref="Refresh"/>.</summary>
    public (string State, int Tunnels) this[string backend]
        => (_states.GetValueOrDefault(backend, "Unknown"), _tunnels.GetValueOrDefault(backend));

    public void Refresh() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var backend = Tag(tags, "stickyws.backend");
        if (instrument.Name == "stickyws.tunnels.active") _tunnels[backend] = value;
        else if (value == 1) _states[backend] = Tag(tags, "stickyws.state");
    }

    private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string key)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == key) return (string)tag.Value!;
        }

        throw new ArgumentException($"The measurement has no tag {key}.", nameof(key));
    }
}
