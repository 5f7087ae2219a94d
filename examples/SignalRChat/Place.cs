namespace StickyWs.Examples.SignalRChat;

/// <summary>Which backend a hub runs in.</summary>
internal sealed record Place(string Backend);
