namespace StickyWs.Backends;

/// <summary>Whoever wants to know when a counted use of a backend ends, so that what is remembered of a client lives as long as its tunnel.</summary>
internal interface ILeaseEnd
{
    /// <summary>Called once, on any thread; quick, and throws nothing.</summary>
    void LeaseEnded(Backend backend);
}
