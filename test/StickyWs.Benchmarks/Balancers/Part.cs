namespace StickyWs.Benchmarks.Balancers;

/// <summary>In which measurements a contestant takes part.</summary>
internal enum Part
{
    All,
    WithoutTls,
    WithTls,

    /// <summary>Only where it is asked for by name: what somebody who looks, or reads, costs.</summary>
    Seen,
}
