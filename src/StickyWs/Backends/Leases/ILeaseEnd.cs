namespace StickyWs.Backends;

/// <summary>Is notified when a lease of a backend ends, so that what is remembered of a client lives as long as its tunnel.</summary>
internal interface ILeaseEnd
{
    /// <summary>Called once, on any thread; must be quick and must not throw.</summary>
    void LeaseEnded(Backend backend);
}
