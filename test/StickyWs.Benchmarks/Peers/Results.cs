using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Numbers by figure and contestant, one for each round.</summary>
internal sealed class Results
{
    private readonly Dictionary<(Figure Figure, string Contestant), List<double>> _rounds = [];

    public void Add(Figure figure, Contestant contestant, double value)
    {
        if (!_rounds.TryGetValue((figure, contestant.Key), out var rounds)) _rounds[(figure, contestant.Key)] = rounds = [];
        rounds.Add(value);
    }

    public bool Has(Figure figure) => _rounds.Keys.Any(key => key.Figure == figure);

    public IReadOnlyList<double> Rounds(Figure figure, string contestant) => _rounds.GetValueOrDefault((figure, contestant), []);

    public double Median(Figure figure, string contestant) => Median(Rounds(figure, contestant));

    /// <summary>The median of the ratios round by round, so that what else the machine did in a round meets both.</summary>
    public double Ratio(Figure figure, string contestant, string over)
        => Median([.. Rounds(figure, contestant).Zip(Rounds(figure, over), (one, other) => one / other)]);

    private static double Median(IReadOnlyList<double> values)
    {
        if (values.Count == 0) return double.NaN;
        var (ascending, middle) = (values.Order().ToArray(), values.Count / 2);
        return values.Count % 2 == 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2;
    }
}
