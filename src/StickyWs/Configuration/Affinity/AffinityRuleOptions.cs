namespace StickyWs.Configuration;

/// <summary>One rule by which clients are known again: exactly one of its kinds is set.</summary>
public sealed class AffinityRuleOptions
{
    /// <summary>By a cookie that the balancer issues, on a 101 too: encrypted and authenticated, and verified by any instance that has the key.</summary>
    public CookieAffinityOptions? Cookie { get; set; }

    /// <summary>By hashing a request header, a user's id say: all instances agree without talking.</summary>
    public HeaderAffinityOptions? Header { get; set; }

    /// <summary>By hashing a parameter of the query, a room's name say: all instances agree without talking.</summary>
    public QueryAffinityOptions? Query { get; set; }

    /// <summary>By hashing a segment of the path, a room's name say: all instances agree without talking.</summary>
    public PathSegmentAffinityOptions? PathSegment { get; set; }

    /// <summary>By hashing the client's network: all instances agree without talking.</summary>
    public ClientAddressAffinityOptions? ClientAddress { get; set; }

    /// <summary>By the connection token of ASP.NET Core SignalR (Blazor Server too): learnt from the answer to <c>negotiate</c>, it pins <c>?id=</c>.</summary>
    public SignalRAffinityOptions? SignalR { get; set; }

    /// <summary>By the session id of Socket.IO and Engine.IO: learnt from the open packet of a polling client, it pins <c>?sid=</c>.</summary>
    public SocketIOAffinityOptions? SocketIO { get; set; }

    /// <summary>By a cookie or header of the backend's own: a value that it answered with pins requests that bring the same.</summary>
    public LearnAffinityOptions? Learn { get; set; }
}
