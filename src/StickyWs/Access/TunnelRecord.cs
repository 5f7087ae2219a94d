using System.Net;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>What is kept of a handshake for as long as its tunnel is open, so that it can be told of when it ends. Only while somebody listens.</summary>
internal sealed class TunnelRecord(AccessLog log)
{
    public required string? Host { get; init; }

    public required string? Path { get; init; }

    public required string? Method { get; init; }

    public required string? TlsVersion { get; init; }

    public required string? ChosenBy { get; init; }

    public required string? Pin { get; init; }

    public required IPAddress? ForwardedClient { get; init; }

    public required ConnectionTuple? Upstream { get; init; }

    public required TimeSpan Handshake { get; init; }

    public required UInt128 TraceId { get; init; }

    /// <summary>Whether it had a line when it opened.</summary>
    public required bool IsLogged { get; init; }

    /// <summary>The trace of the handshake, if it is listened to.</summary>
    public required TracedTunnel? Traced { get; init; }

    /// <summary>The tunnel has ended. Call once, on any thread; what the application plugged in is called elsewhere.</summary>
    public void End(in TunnelEnd end)
    {
        log.Closed();
        log.Write(new AccessLine
        {
            Event = AccessEvent.Tunnel,
            Client = end.Tuple,
            Upstream = Upstream,
            ForwardedClient = ForwardedClient,
            Pool = end.Pool,
            Backend = end.Backend,
            Lane = end.Lane,
            TlsVersion = TlsVersion,
            ChosenBy = ChosenBy,
            Pin = Pin,
            Handshake = Handshake,
            Duration = end.Duration,
            Status = Method is null ? 0 : 101,
            BytesToBackend = end.BytesToBackend,
            BytesToClient = end.BytesToClient,
            Outcome = nameof(HandshakeOutcome.Opened),
            EndReason = end.Reason.ToString(),
            Farewell = end.Farewell,
            ClientCloseCode = end.ClientCloseCode,
            BackendCloseCode = end.BackendCloseCode,
            OwnCloseCode = end.OwnCloseCode,
            TraceId = TraceId,
            ConnectionId = end.ConnectionId,
            Method = Method,
            Host = Host,
            Path = Path,
            IsLogged = IsLogged,
            Traced = Traced is null ? null : Traced with { EndedAt = log.Now },
        });
    }
}

/// <summary>How a tunnel ended.</summary>
internal readonly record struct TunnelEnd(
    string ConnectionId, ConnectionTuple? Tuple, string Pool, string Backend, string Lane, EndReason Reason, string Farewell, TimeSpan Duration)
{
    public required long BytesToBackend { get; init; }

    public required long BytesToClient { get; init; }

    public required int ClientCloseCode { get; init; }

    public required int BackendCloseCode { get; init; }

    public int OwnCloseCode { get; init; }
}
