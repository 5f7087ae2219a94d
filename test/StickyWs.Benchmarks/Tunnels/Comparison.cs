using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>
/// StickyWs and YARP in front of the same backend and under the same load, in turns, so that the machine's other work meets both: CPU per echoed
/// message and memory per idle tunnel. Ratios are the result; absolute figures are the machine's.
/// </summary>
internal static class Comparison
{
    private const int IdleRounds = 3;
    private static readonly TimeSpan FirstWarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] args)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The comparison reads /proc.");
        var tunnels = int.Parse(Option(args, "--tunnels") ?? "64", CultureInfo.InvariantCulture);
        var rounds = int.Parse(Option(args, "--rounds") ?? "15", CultureInfo.InvariantCulture);
        Contestant[] contestants = [new("StickyWs", "serve-stickyws"), new("YARP", "serve-yarp")];
        using var backend = await Child.StartAsync(0, "serve-backend");
        if (!args.Contains("--idle-only")) await EchoAsync(contestants, backend, tunnels, rounds);
        using var load = await Child.StartAsync(0, "load");
        for (var i = 0; i < IdleRounds && !args.Contains("--echo-only"); i++)
        {
            foreach (var contestant in contestants) await contestant.IdleAsync(backend, load);
        }

        var report = Report.Write(contestants[0], contestants[1], tunnels);
        Console.WriteLine(report);
        if (Option(args, "--out") is { } file) await File.WriteAllTextAsync(file, report);
        return 0;
    }

    private static async Task EchoAsync(Contestant[] contestants, Child backend, int tunnels, int rounds)
    {
        var pairs = new List<(Contestant Contestant, Child Balancer, Child Load)>();
        try
        {
            foreach (var contestant in contestants)
            {
                pairs.Add((contestant, await contestant.StartAsync(backend), await Child.StartAsync(0, "load")));
                await Contestant.OpenEchoAsync(pairs[^1].Balancer, pairs[^1].Load, tunnels);
                await Contestant.WarmUpAsync(pairs[^1].Load, FirstWarmUp);
            }

            for (var i = 0; i < rounds; i++)
            {
                foreach (var (contestant, balancer, load) in pairs) await contestant.EchoAsync(balancer, load, WarmUp, Round);
            }
        }
        finally
        {
            foreach (var (_, balancer, load) in pairs)
            {
                load.Dispose();
                balancer.Dispose();
            }
        }
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : null;
}
