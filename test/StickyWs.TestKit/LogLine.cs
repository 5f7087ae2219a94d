using Microsoft.Extensions.Logging;

namespace StickyWs.TestKit;

/// <summary>One thing that was logged.</summary>
public sealed record LogLine(string Category, LogLevel Level, string? Event, string Text, Exception? Exception)
{
    /// <summary>The structured fields.</summary>
    public IReadOnlyDictionary<string, object?> Fields { get; init; } = new Dictionary<string, object?>();
}
