namespace StickyWs.Configuration;

/// <summary>What to learn from the backends' answers: exactly one of the two.</summary>
public sealed class LearnAffinityOptions
{
    /// <summary>A cookie that backends set, their session cookie say.</summary>
    public string? Cookie { get; set; }

    /// <summary>A header that backends answer with and clients send back under the same name.</summary>
    public string? Header { get; set; }
}
