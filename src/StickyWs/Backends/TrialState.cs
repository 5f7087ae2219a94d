namespace StickyWs.Backends;

/// <summary>How far the one request has come that is let through to a backend which traffic took out.</summary>
internal enum TrialState
{
    None,
    Offered,
    Taken,
}
