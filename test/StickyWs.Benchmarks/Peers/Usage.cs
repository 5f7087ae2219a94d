using System.Diagnostics;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What has been used up to a moment.</summary>
internal readonly record struct Usage(double Balancer, double Machine, long Moment)
{
    public static Usage Now(Balancer balancer) => new(balancer.Processes.CpuSeconds(), Native.Machine.BusySeconds(), Stopwatch.GetTimestamp());

    public Cost Since(Usage before, double units)
    {
        var balancer = Balancer - before.Balancer;
        return new Cost(balancer / units, (Machine - before.Machine) / units, balancer / Stopwatch.GetElapsedTime(before.Moment, Moment).TotalSeconds);
    }
}
