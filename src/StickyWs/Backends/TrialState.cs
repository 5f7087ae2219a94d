namespace StickyWs.Backends;

/// <summary>The progress of the one request that is let through to a backend which traffic took out.</summary>
internal enum TrialState
{
    None,
    Offered,
    Taken,
}
