namespace StickyWs.Backends;

/// <summary>Whether a backend could be leased, or which limit prevented it.</summary>
internal enum LeaseResult
{
    Granted,
    BackendFull,
    AllFull,
}
