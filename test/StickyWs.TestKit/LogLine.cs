using Microsoft.Extensions.Logging;

namespace StickyWs.TestKit;

/// <summary>One thing that was logged.</summary>
public sealed record LogLine(string Category, LogLevel Level, string? Event, string Text, Exception? Exception);
