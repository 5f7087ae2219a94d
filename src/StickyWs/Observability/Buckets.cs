using System.Diagnostics.Metrics;

namespace StickyWs.Observability;

/// <summary>
/// Histogram boundaries in seconds. Without this advice, exporters use OpenTelemetry's default, which is made for milliseconds.
/// </summary>
internal static class Buckets
{
    /// <summary>Connects, handshakes and probes: normally very short, but up to a time-out of seconds.</summary>
    public static InstrumentAdvice<double> Moments { get; } = Of(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);

    /// <summary>Requests: the OpenTelemetry convention for <c>http.server.request.duration</c>, extended for streams and long polls.</summary>
    public static InstrumentAdvice<double> Requests { get; } =
        Of(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300);

    /// <summary>Lifetimes of tunnels, from those that break at once to a week.</summary>
    public static InstrumentAdvice<double> Lives { get; } =
        Of(0.1, 1, 5, 15, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 259_200, 604_800);

    private static InstrumentAdvice<double> Of(params double[] boundaries) => new() { HistogramBucketBoundaries = boundaries };
}
