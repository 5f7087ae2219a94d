namespace StickyWs.Benchmarks.Balancers;

/// <summary>Where a balancer has TLS in a measurement.</summary>
internal enum Wiring
{
    Plain,
    TlsToClients,
    TlsToBoth,
}
