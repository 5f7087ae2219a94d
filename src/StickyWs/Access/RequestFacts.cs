namespace StickyWs.Access;

/// <summary>A request as lines tell it. It may be anything.</summary>
/// <param name="Method">The method.</param>
/// <param name="Host">The value of <c>Host</c>.</param>
/// <param name="Path">The target without its query.</param>
internal readonly record struct RequestFacts(string Method, string? Host, string Path);
