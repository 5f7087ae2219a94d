namespace StickyWs.Configuration;

/// <summary>One rule that recognizes clients. Exactly one of its kinds is set.</summary>
public sealed class AffinityRuleOptions
{
    /// <summary>
    /// By a cookie that the balancer issues, also on a 101. It is encrypted and authenticated; any instance that has the key can verify it.
    /// </summary>
    public CookieAffinityOptions? Cookie { get; set; }

    /// <summary>By hashing a request header, such as a user id. All instances agree without communicating.</summary>
    public HeaderAffinityOptions? Header { get; set; }

    /// <summary>By hashing a query parameter, such as a room name. All instances agree without communicating.</summary>
    public QueryAffinityOptions? Query { get; set; }

    /// <summary>By hashing a path segment, such as a room name. All instances agree without communicating.</summary>
    public PathSegmentAffinityOptions? PathSegment { get; set; }

    /// <summary>By hashing the client's network. All instances agree without communicating.</summary>
    public ClientAddressAffinityOptions? ClientAddress { get; set; }

    /// <summary>
    /// By the connection token of ASP.NET Core SignalR (including Blazor Server): learned from the response to <c>negotiate</c>, matched against
    /// <c>?id=</c>.
    /// </summary>
    public SignalRAffinityOptions? SignalR { get; set; }

    /// <summary>By the session id of Socket.IO and Engine.IO: learned from the open packet of a polling client, matched against <c>?sid=</c>.</summary>
    public SocketIOAffinityOptions? SocketIO { get; set; }

    /// <summary>By the backend's own cookie or header: a value that a response contained pins later requests with the same value.</summary>
    public LearnAffinityOptions? Learn { get; set; }
}
