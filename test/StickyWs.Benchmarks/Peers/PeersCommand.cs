using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Runs the comparison and writes its page.</summary>
internal static class PeersCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The comparison reads /proc and waits with epoll.");
        var options = PeersOptions.Parse(args);
        var contestants = Field.Choose(options.Contestants, options.HaProxy, options.Nginx, options.Gateway);
        var basis = options.Base is { } key ? contestants.First(one => one.Key == key) : contestants[0];
        var report = new Report(contestants, basis, options, Versions.Read(options));
        var measurements = Choose(options.Only);
        using var backends = await BackendPair.StartAsync(hasTls: measurements.Any(one => one.Wiring != Wiring.Plain));
        var results = new Results();
        foreach (var measurement in measurements)
        {
            var those = contestants.Where(measurement.Takes).ToList();
            await Console.Error.WriteLineAsync($"{DateTime.Now:HH:mm:ss} {measurement.Key}");
            await measurement.RunAsync(new Comparison(those, backends, measurement.Wiring, options, results));

            // After each, so that a long run that is broken off has not been for nothing.
            if (options.Out is not null) await File.WriteAllTextAsync(options.Out, report.Write(results));
        }

        Console.WriteLine(report.Write(results));
        return 0;
    }

    private static IReadOnlyList<Measurement> Choose(IReadOnlyList<string> keys) => keys is []
        ? Measurement.All
        : [.. keys.Select(key => Measurement.All.FirstOrDefault(one => one.Key == key) ?? throw new ArgumentException($"There is no measurement '{key}'."))];
}
