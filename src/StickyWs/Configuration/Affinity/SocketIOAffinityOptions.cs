namespace StickyWs.Configuration;

/// <summary>Socket.IO and Engine.IO, protocol revisions 3 and 4. There is nothing to set.</summary>
public sealed class SocketIOAffinityOptions;
