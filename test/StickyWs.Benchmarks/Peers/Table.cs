using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Figures of the contestants that took part in them.</summary>
internal sealed class Table
{
    private readonly IReadOnlyList<Figure> _figures;
    private readonly IReadOnlyList<Contestant> _contestants;
    private readonly Contestant _basis;
    private readonly Results _results;

    private Table(IReadOnlyList<Figure> figures, IReadOnlyList<Contestant> contestants, Contestant basis, Results results)
        => (_figures, _contestants, _basis, _results) = (figures, contestants, basis, results);

    /// <summary>The table of those figures that there are; null if there are none.</summary>
    /// <param name="figures">The figures in order.</param>
    /// <param name="contestants">The contestants in order.</param>
    /// <param name="preferred">Whose numbers are one, if it took part; else the first one's.</param>
    /// <param name="results">All numbers.</param>
    public static Table? Of(IEnumerable<Figure> figures, IReadOnlyList<Contestant> contestants, Contestant preferred, Results results)
    {
        var present = figures.Where(results.Has).ToList();
        var those = contestants.Where(one => present.Any(figure => results.Rounds(figure, one.Key).Count > 0)).ToList();
        return those is [] ? null : new Table(present, those, those.Contains(preferred) ? preferred : those[0], results);
    }

    public string Write() => $"""
        | | {string.Join(" | ", _contestants.Select(one => one.Name))} | target of {_basis.Name} |
        |---|{string.Concat(_contestants.Select(_ => "---:|"))}---|
        {string.Concat(_figures.Select(Row))}
        """;

    /// <summary>Every number, a line for each figure.</summary>
    public IEnumerable<string> Rounds() => _figures.Select(figure =>
    {
        var rows = _contestants.Select(one => string.Join(' ', _results.Rounds(figure, one.Key).Select(value => Text(value, figure.Format))));
        return $"- {figure.Title}: {string.Join("; ", rows)}";
    });

    private string Row(Figure figure)
        => $"| {figure.Title} | {string.Join(" | ", _contestants.Select(one => Cell(figure, one)))} | "
            + $"{string.Join("; ", figure.Targets.Select(target => Verdict(figure, target)).OfType<string>())} |\n";

    private string Cell(Figure figure, Contestant contestant)
    {
        var number = Text(_results.Median(figure, contestant.Key), figure.Format);
        return figure.HasRatio && contestant != _basis ? $"{number} ({Text(_results.Ratio(figure, contestant.Key, _basis.Key), "F2")})" : number;
    }

    private string? Verdict(Figure figure, Target target)
    {
        if (_contestants.FirstOrDefault(one => one.Key == (target.Of ?? _basis.Key)) is not { } whose) return null;
        var name = target.Of is null ? "" : $"{whose.Name} ";
        if (target.Against is []) return name + Verdict(Text(target.Limit, "G"), _results.Median(figure, whose.Key), figure.Format, target);
        var better = _contestants.Where(one => one != whose && target.Against.Contains(one.Key)).MinBy(one => _results.Median(figure, one.Key));
        return better is null ? null
            : name + Verdict($"{Text(target.Limit, "G")} × {better.Name}", Math.Round(_results.Ratio(figure, whose.Key, better.Key), 2), "F2", target);
    }

    private static string Verdict(string limit, double reached, string format, Target target)
        => $"≤ {limit}: {Text(reached, format)} {(reached <= target.Limit ? "met" : "**missed**")}";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
