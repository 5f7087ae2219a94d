namespace StickyWs.Configuration;

/// <summary>What to learn from the backends' responses. Exactly one of the two is set.</summary>
public sealed class LearnAffinityOptions
{
    /// <summary>The name of a cookie that backends set, such as a session cookie.</summary>
    public string? Cookie { get; set; }

    /// <summary>The name of a header that backends send and clients return under the same name.</summary>
    public string? Header { get; set; }
}
