namespace StickyWs.Benchmarks.Balancers;

/// <summary>In which measurements a contestant takes part.</summary>
internal enum Part
{
    All,
    WithoutTls,
    WithTls,
}
