using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Connections;

/// <summary>How the wait for a head ended.</summary>
internal enum HeadOutcome
{
    /// <summary>There is a verdict; <see cref="Verdict.NeedMore"/> if the client closed in the middle of the head.</summary>
    Sniffed,

    /// <summary>The deadline passed after part of a head.</summary>
    TimedOut,

    /// <summary>The deadline passed without a byte.</summary>
    Silent,
}

/// <summary>The result of waiting for a head.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Verdict">What was seen. After a time-out <see cref="Verdict.Tls"/> if the client had begun a ClientHello.</param>
/// <param name="Head">The handshake, if there is one.</param>
/// <param name="Hello">The ClientHello, if it was to be read.</param>
internal readonly record struct HeadResult(
    HeadOutcome Outcome, Verdict Verdict = Verdict.NeedMore, RequestHead? Head = null, ClientHello? Hello = null)
{
    /// <summary>Whether TLS can begin with what has arrived: its first record is whole. False also where nobody has looked.</summary>
    public bool HoldsRecord { get; init; }

    /// <summary>The deadline has passed.</summary>
    public static HeadResult Late(in Sniffer sniffer) => new(
        sniffer.HasSeenBytes ? HeadOutcome.TimedOut : HeadOutcome.Silent, sniffer.AwaitsHello ? Verdict.Tls : Verdict.NeedMore);
}
