namespace StickyWs.Benchmarks.Peers;

/// <summary>What a stretch of work cost.</summary>
/// <param name="Balancer">CPU seconds of the balancer's processes per unit of work.</param>
/// <param name="Machine">CPU seconds of the whole machine per unit of work.</param>
/// <param name="Busy">Share of the time in which the balancer was on its core.</param>
internal readonly record struct Cost(double Balancer, double Machine, double Busy);
