using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>The comparison as a page.</summary>
internal sealed class Report(IReadOnlyList<Contestant> contestants, Contestant preferred, PeersOptions options, IReadOnlyList<string> versions)
{
    public string Write(Results results)
    {
        var tables = Measurement.All.GroupBy(measurement => measurement.Wiring == Wiring.Plain)
            .Select(group => Table.Of(group.SelectMany(measurement => measurement.Figures), contestants, preferred, results))
            .OfType<Table>().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"""
            # StickyWs and its peers side by side

            Written by `dotnet run -c Release --project test/StickyWs.Benchmarks -- peers --out FILE`. Medians of {options.Rounds}
            rounds. In brackets: the ratio to the balancer whose targets the last column has, the median of the ratios round by round, which is what counts;
            absolute figures are the machine's.

            {string.Join('\n', tables.Select(table => table.Write()))}
            {Method.Describe(options, versions)}

            Every round, in the order of the columns:

            {string.Join('\n', tables.SelectMany(table => table.Rounds()))}

            """);
    }
}
