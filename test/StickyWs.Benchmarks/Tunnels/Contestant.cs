using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>One balancer and what was measured on it.</summary>
internal sealed class Contestant(string name, string role)
{
    private const int FewIdle = 500;
    private const int ManyIdle = 4000;

    private readonly List<double> _cpuPerMessage = [];
    private readonly List<double> _userPerMessage = [];
    private readonly List<double> _allocatedPerMessage = [];
    private readonly List<double> _memoryPerTunnel = [];
    private readonly List<double> _heapPerTunnel = [];

    public string Name => name;

    /// <summary>CPU time of the balancer per message that came back, in microseconds.</summary>
    public double CpuPerMessage => Median(_cpuPerMessage);

    /// <summary>The part of it outside the kernel.</summary>
    public double UserPerMessage => Median(_userPerMessage);

    /// <summary>Managed bytes allocated per message that came back.</summary>
    public double AllocatedPerMessage => Median(_allocatedPerMessage);

    /// <summary>Anonymous memory of the balancer's process that one more idle tunnel costs, in bytes.</summary>
    public double MemoryPerTunnel => Median(_memoryPerTunnel);

    /// <summary>The managed part of it.</summary>
    public double HeapPerTunnel => Median(_heapPerTunnel);

    public IReadOnlyList<double> CpuRounds => _cpuPerMessage;

    public IReadOnlyList<double> MemoryRounds => _memoryPerTunnel;

    public Task<Child> StartAsync(Child backend) => Child.StartAsync(1, role, backend.Greeting);

    public static Task OpenEchoAsync(Child balancer, Child load, int tunnels) => load.AskAsync($"open {balancer.Greeting} {tunnels}");

    public static Task WarmUpAsync(Child load, TimeSpan duration) => load.AskAsync(Echo(duration));

    /// <summary>One round of messages through the open tunnels; an unmeasured part before it lets them, and the JIT, settle.</summary>
    public async Task EchoAsync(Child balancer, Child load, TimeSpan warmUp, TimeSpan duration)
    {
        await WarmUpAsync(load, warmUp);
        var allocated = await balancer.AskNumberAsync("allocated");
        var before = balancer.CpuTime();
        var messages = await load.AskNumberAsync(Echo(duration));
        var after = balancer.CpuTime();
        _userPerMessage.Add((after.User - before.User) / messages);
        _cpuPerMessage.Add(_userPerMessage[^1] + ((after.System - before.System) / messages));
        _allocatedPerMessage.Add((double)(await balancer.AskNumberAsync("allocated") - allocated) / messages);
    }

    /// <summary>The slope between few and many tunnels at rest, each of which has carried one message.</summary>
    public async Task IdleAsync(Child backend, Child load)
    {
        using var balancer = await StartAsync(backend);
        await load.AskAsync($"open {balancer.Greeting} {FewIdle}");
        var few = await SettleAsync(balancer);
        await load.AskAsync($"open {balancer.Greeting} {ManyIdle - FewIdle}");
        var many = await SettleAsync(balancer);
        _memoryPerTunnel.Add((double)(many.Memory - few.Memory) / (ManyIdle - FewIdle));
        _heapPerTunnel.Add((double)(many.Heap - few.Heap) / (ManyIdle - FewIdle));
        await load.AskAsync("close");
    }

    // Collects until the memory stays within one percent from one second to the next; ten seconds at most.
    private static async Task<(long Memory, long Heap)> SettleAsync(Child balancer)
    {
        var before = long.MaxValue;
        for (var i = 0; ; i++)
        {
            var heap = await balancer.AskNumberAsync("collect");
            var memory = balancer.AnonymousMemory();
            if (i > 2 && (i == 10 || Math.Abs(before - memory) < memory / 100)) return (memory, heap);
            before = memory;
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }

    private static string Echo(TimeSpan duration) => string.Create(CultureInfo.InvariantCulture, $"echo {duration.TotalSeconds}");

    private static double Median(List<double> values) => values.Count == 0 ? double.NaN : values.Order().ElementAt(values.Count / 2);
}
