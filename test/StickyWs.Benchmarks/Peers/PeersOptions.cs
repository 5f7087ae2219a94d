using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>The command line of <c>peers</c>.</summary>
internal sealed record PeersOptions
{
    private static readonly string[] Known =
        ["--rounds", "--only", "--contestants", "--base", "--seconds", "--warm-up", "--haproxy", "--nginx", "--gateway", "--out"];

    public int Rounds { get; private init; }

    public IReadOnlyList<string> Only { get; private init; } = [];

    public IReadOnlyList<string> Contestants { get; private init; } = [];

    /// <summary>Whose numbers are one and who has targets; none: the first contestant.</summary>
    public string? Base { get; private init; }

    public TimeSpan Duration { get; private init; }

    public TimeSpan WarmUp { get; private init; }

    /// <summary>Paths of HAProxy, of one or more versions.</summary>
    public IReadOnlyList<string> HaProxy { get; private init; } = [];

    /// <summary>Paths of nginx, likewise.</summary>
    public IReadOnlyList<string> Nginx { get; private init; } = [];

    /// <summary>The path of <c>examples/Gateway</c>, published as native code.</summary>
    public string? Gateway { get; private init; }

    public string? Out { get; private init; }

    public static PeersOptions Parse(string[] args)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!Known.Contains(args[i]) || i + 1 == args.Length)
                throw new ArgumentException($"'{args[i]}' is unknown or lacks its value; known are {string.Join(", ", Known)}.");
            values[args[i]] = args[i + 1];
        }

        return new()
        {
            Rounds = int.Parse(values.GetValueOrDefault("--rounds", "5"), CultureInfo.InvariantCulture),
            Only = List(values.GetValueOrDefault("--only")),
            Contestants = List(values.GetValueOrDefault("--contestants")),
            Base = values.GetValueOrDefault("--base"),
            Duration = Seconds(values.GetValueOrDefault("--seconds", "2")),
            WarmUp = Seconds(values.GetValueOrDefault("--warm-up", "20")),
            HaProxy = Programs.Of("haproxy", List(values.GetValueOrDefault("--haproxy"))),
            Nginx = Programs.Of("nginx", List(values.GetValueOrDefault("--nginx"))),
            Gateway = values.GetValueOrDefault("--gateway"),
            Out = values.GetValueOrDefault("--out"),
        };
    }

    private static string[] List(string? text) => text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));
}
