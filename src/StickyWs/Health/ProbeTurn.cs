namespace StickyWs.Health;

/// <summary>What a probe changes about its backend.</summary>
internal enum ProbeTurn
{
    None,
    Up,
    Down,
}
