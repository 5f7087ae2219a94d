using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>
/// StickyWs and YARP in front of the same backend and under the same load, in turns, so that the machine's other work meets both: CPU per echoed
/// message and memory per idle tunnel. Ratios are the result; absolute figures are the machine's.
/// </summary>
internal static class Comparison
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(4);
    private const int IdleRounds = 3;

    public static async Task<int> RunAsync(string[] args)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The comparison reads /proc.");
        var rounds = int.Parse(Option(args, "--rounds") ?? "5", CultureInfo.InvariantCulture);
        Contestant[] contestants = [new("StickyWs", "serve-stickyws"), new("YARP", "serve-yarp")];
        using var backend = await Child.StartAsync(0, "serve-backend");
        using var load = await Child.StartAsync(0, "load");
        if (!args.Contains("--idle-only")) await EchoAsync(contestants, backend, load, rounds);
        for (var i = 0; i < IdleRounds && !args.Contains("--echo-only"); i++)
        {
            foreach (var contestant in contestants) await contestant.IdleAsync(backend, load);
        }

        var report = Report.Write(contestants[0], contestants[1]);
        Console.WriteLine(report);
        if (Option(args, "--out") is { } file) await File.WriteAllTextAsync(file, report);
        return 0;
    }

    private static async Task EchoAsync(Contestant[] contestants, Child backend, Child load, int rounds)
    {
        var balancers = new List<Child>();
        try
        {
            foreach (var contestant in contestants) balancers.Add(await contestant.StartAsync(backend));
            for (var i = 0; i < rounds; i++)
            {
                for (var j = 0; j < contestants.Length; j++) await contestants[j].EchoAsync(balancers[j], load, i == 0 ? 4 * WarmUp : WarmUp, Round);
            }
        }
        finally
        {
            balancers.ForEach(balancer => balancer.Dispose());
        }
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : null;
}
