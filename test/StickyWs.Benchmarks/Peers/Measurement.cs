namespace StickyWs.Benchmarks.Peers;

/// <summary>One thing that is measured on every contestant, and the rows it fills.</summary>
internal abstract class Measurement(string key)
{
    public static IReadOnlyList<Measurement> All { get; } =
    [
        CpuMeasurement.Echo,
        CpuMeasurement.Bulk,
        CpuMeasurement.Handshake,
        CpuMeasurement.Http,
        new IdleMeasurement(),
        new ManyMeasurement(),
        new LatencyMeasurement(),
        new StalledMeasurement(),
    ];

    /// <summary>The name on the command line.</summary>
    public string Key => key;

    public abstract IReadOnlyList<Figure> Figures { get; }

    public abstract Task RunAsync(Comparison comparison);
}
