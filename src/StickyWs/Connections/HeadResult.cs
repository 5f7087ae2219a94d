using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Connections;

/// <summary>How the wait for a head ended.</summary>
internal enum HeadOutcome
{
    /// <summary>There is a verdict; <see cref="Verdict.NeedMore"/> when the client closed in the middle.</summary>
    Sniffed,

    /// <summary>The deadline passed with part of a head.</summary>
    TimedOut,

    /// <summary>The deadline passed without a byte.</summary>
    Silent,
}

/// <summary>What the wait for a head brought.</summary>
internal readonly record struct HeadResult(HeadOutcome Outcome, Verdict Verdict = Verdict.NeedMore, RequestHead? Head = null);
