namespace StickyWs.Configuration;

/// <summary>Socket.IO and Engine.IO, protocol revisions 3 and 4. Nothing to set.</summary>
public sealed class SocketIOAffinityOptions;
