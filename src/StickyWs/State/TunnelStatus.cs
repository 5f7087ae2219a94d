using System.Net;
using StickyWs.Observability;

namespace StickyWs.State;

/// <summary>A tunnel at one moment.</summary>
public sealed class TunnelStatus
{
    /// <summary>
    /// Names it among all tunnels of the process: the id of its client's connection, as the log has it; for a stream of HTTP/2, the request's trace identifier.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The name of its backend.</summary>
    public required string Backend { get; init; }

    /// <summary>Its lane: <c>raw</c> or <c>portable</c>.</summary>
    public required string Lane { get; init; }

    /// <summary>The client's connection; <see langword="null"/> where it has no addresses (servers in memory, unix sockets).</summary>
    public TunnelTuple? Client { get; init; }

    /// <summary>The connection to the backend; <see langword="null"/> once it is closed.</summary>
    public TunnelTuple? Upstream { get; init; }

    /// <summary>Bytes relayed from the client to the backend.</summary>
    public required long BytesToBackend { get; init; }

    /// <summary>Bytes relayed from the backend to the client.</summary>
    public required long BytesToClient { get; init; }

    /// <summary>How long it has been open.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>For how long no byte has moved, within a second or so; <see langword="null"/> in a <see cref="StateChange"/>, for which nobody asks.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>The number of the reactor that moves its bytes; <see langword="null"/> in the portable lane.</summary>
    public int? Reactor { get; init; }

    /// <summary>What that waits with: <c>io_uring</c> or <c>epoll</c>.</summary>
    public string? ReactorKind { get; init; }

    /// <summary>On which sides TLS ends here: <c>none</c>, <c>client</c>, <c>backend</c> or <c>both</c>; <c>through</c> if it passes through.</summary>
    public string Tls { get; init; } = TlsSides.None;

    /// <summary>
    /// The beginning of the client's pin as the backend is told it (<c>StickyWs-Pin</c>), 8 hexadecimal digits of 32: a random number or a hash, never a
    /// token. <see langword="null"/> for none.
    /// </summary>
    public string? Pin { get; init; }

    /// <summary>What leads the client to this backend again.</summary>
    public TunnelTie Tie { get; init; }

    /// <summary>Whether it is followed frame by frame, so that it can be told to go by a Close frame.</summary>
    public bool HasFrames { get; init; }

    /// <summary>Whether it was told to go, with many others.</summary>
    public bool WasTold { get; init; }

    /// <summary>Bytes a second to the backend, since somebody looked at it last, a second ago or more; <see langword="null"/> at the first look.</summary>
    public double? RateToBackend { get; init; }

    /// <summary>The same to the client.</summary>
    public double? RateToClient { get; init; }

    /// <summary>The client behind trusted proxies, if it is not the peer.</summary>
    public IPAddress? ForwardedClient { get; init; }

    /// <summary>
    /// The host of its handshake, escaped as in the log. This and what follows is known if the handshake was recorded: because the access log for tunnels
    /// or a trace was on, or somebody looked at the process.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>The path of its handshake without the query, escaped as in the log.</summary>
    public string? Path { get; init; }

    /// <summary>The version of the client's TLS that ends here.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>Why this backend was chosen, as in the log.</summary>
    public string? ChosenBy { get; init; }

    /// <summary>What became of the client's pin: <c>new</c>, <c>kept</c> or <c>moved</c>.</summary>
    public string? PinOutcome { get; init; }

    /// <summary>How long the handshake took.</summary>
    public TimeSpan? Handshake { get; init; }

    /// <summary>The id of its trace, 32 hexadecimal digits.</summary>
    public string? TraceId { get; init; }
}

/// <summary>What leads a client to its backend again.</summary>
public enum TunnelTie
{
    /// <summary>Nothing: the pool's policy decides.</summary>
    None,

    /// <summary>A cookie or a learnt pin: its state is there.</summary>
    Pinned,

    /// <summary>Hashing, which always leads to the same backend.</summary>
    Hashed,
}
