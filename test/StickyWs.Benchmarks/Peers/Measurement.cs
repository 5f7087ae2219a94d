using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>One thing that is measured on every contestant, and the rows it fills.</summary>
/// <param name="key">The name on the command line.</param>
/// <param name="wiring">Where there is TLS.</param>
internal abstract class Measurement(string key, Wiring wiring)
{
    public static IReadOnlyList<Measurement> All { get; } =
    [
        CpuMeasurement.Echo,
        CpuMeasurement.Bulk,
        CpuMeasurement.Handshake,
        CpuMeasurement.Http,
        CpuMeasurement.HttpLarge,
        CpuMeasurement.HttpDownload,
        CpuMeasurement.HttpUpload,
        IdleMeasurement.Plain,
        IdleMeasurement.Http,
        new ManyMeasurement(),
        new WatchMeasurement(),
        LatencyMeasurement.Plain,
        new StalledMeasurement(),
        new HostileMeasurement(),
        new StormMeasurement(),
        GoodbyeMeasurement.Plain,
        CpuMeasurement.TlsEcho,
        CpuMeasurement.TlsBulk,
        CpuMeasurement.TlsHandshake,
        CpuMeasurement.TlsResumed,
        CpuMeasurement.TlsHttp,
        CpuMeasurement.TlsBackend,
        IdleMeasurement.Tls,
        LatencyMeasurement.Tls,
        GoodbyeMeasurement.Tls,
    ];

    /// <summary>The name on the command line.</summary>
    public string Key => key;

    /// <summary>Where there is TLS.</summary>
    public Wiring Wiring => wiring;

    public abstract IReadOnlyList<Figure> Figures { get; }

    /// <summary>Whether a contestant takes part.</summary>
    public virtual bool Takes(Contestant contestant) => contestant.TakesPart(Wiring);

    public abstract Task RunAsync(Comparison comparison);
}
