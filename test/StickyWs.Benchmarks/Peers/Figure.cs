namespace StickyWs.Benchmarks.Peers;

/// <summary>One row of the table.</summary>
/// <param name="Title">What it counts, with its unit.</param>
/// <param name="Format">How a number is written.</param>
/// <param name="Targets">What the base has to reach.</param>
internal sealed record Figure(string Title, string Format, params Target[] Targets)
{
    /// <summary>Whether one contestant's number over another's says anything.</summary>
    public bool HasRatio { get; init; } = true;
}
