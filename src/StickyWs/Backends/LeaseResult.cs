namespace StickyWs.Backends;

/// <summary>Whether a backend could be leased, and which limit was in the way.</summary>
internal enum LeaseResult
{
    Granted,
    BackendFull,
    AllFull,
}
