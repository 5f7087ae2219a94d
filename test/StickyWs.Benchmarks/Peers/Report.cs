using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>The comparison as a page.</summary>
internal sealed class Report(IReadOnlyList<Contestant> contestants, Contestant basis, PeersOptions options, IReadOnlyList<string> versions)
{
    public string Write(Results results)
    {
        var figures = Measurement.All.SelectMany(measurement => measurement.Figures).Where(results.Has).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"""
            # StickyWs and its peers side by side

            Written by `dotnet run -c Release --project test/StickyWs.Benchmarks -- peers --out FILE`. Medians of {options.Rounds}
            rounds. In brackets: the ratio to {basis.Name}, the median of the ratios round by round, which is what counts; absolute figures are the
            machine's.

            {Table(results, figures)}
            {Method.Describe(options, versions)}

            Every round, in the order of the columns:

            {string.Join('\n', figures.Select(figure => Rounds(results, figure)))}

            """);
    }

    private string Table(Results results, IEnumerable<Figure> figures) => $"""
        | | {string.Join(" | ", contestants.Select(one => one.Name))} | target of {basis.Name} |
        |---|{string.Concat(contestants.Select(_ => "---:|"))}---|
        {string.Concat(figures.Select(figure => Row(results, figure)))}
        """;

    private string Row(Results results, Figure figure)
        => $"| {figure.Title} | {string.Join(" | ", contestants.Select(one => Cell(results, figure, one)))} | "
            + $"{string.Join("; ", figure.Targets.Select(target => Verdict(results, figure, target)).OfType<string>())} |\n";

    private string Cell(Results results, Figure figure, Contestant contestant)
    {
        var number = Text(results.Median(figure, contestant.Key), figure.Format);
        return figure.HasRatio && contestant != basis ? $"{number} ({Text(results.Ratio(figure, contestant.Key, basis.Key), "F2")})" : number;
    }

    private string? Verdict(Results results, Figure figure, Target target)
    {
        var against = contestants.FirstOrDefault(one => one.Key == target.Against);
        if (target.Against is not null && (against is null || against == basis)) return null;
        var reached = against is null ? results.Median(figure, basis.Key) : results.Ratio(figure, basis.Key, against.Key);
        var limit = against is null ? Text(target.Limit, "G") : $"{Text(target.Limit, "G")} × {against.Name}";
        return $"≤ {limit}: {Text(reached, against is null ? figure.Format : "F2")} {(reached <= target.Limit ? "met" : "**missed**")}";
    }

    private string Rounds(Results results, Figure figure)
    {
        var rows = contestants.Select(one => string.Join(' ', results.Rounds(figure, one.Key).Select(value => Text(value, figure.Format))));
        return $"- {figure.Title}: {string.Join("; ", rows)}";
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
