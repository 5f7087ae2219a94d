using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>What came of one probe.</summary>
/// <param name="Failure">Why it failed; <see langword="null"/> when it was good.</param>
/// <param name="Evidence">What that is evidence of.</param>
internal readonly record struct ProbeResult(string? Failure, Evidence Evidence)
{
    public static ProbeResult Good { get; } = new(null, Evidence.None);

    /// <summary>Whether it says nothing about the backend, because the balancer itself could not probe.</summary>
    public bool IsVoid => Evidence.IsOurs();
}
