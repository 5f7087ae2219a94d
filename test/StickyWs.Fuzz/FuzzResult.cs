namespace StickyWs.Fuzz;

/// <summary>What a run without a failure did.</summary>
/// <param name="Cases">Inputs that were checked.</param>
/// <param name="Accepted">Those of them that the target accepted.</param>
public readonly record struct FuzzResult(int Cases, int Accepted);
