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
internal readonly record struct HeadResult(HeadOutcome Outcome, Verdict Verdict = Verdict.NeedMore, RequestHead? Head = null);
