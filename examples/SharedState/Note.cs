namespace StickyWs.Examples.SharedState;

/// <summary>A note, and the backend that took it.</summary>
internal sealed record Note(string Text, string Backend);
