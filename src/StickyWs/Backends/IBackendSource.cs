namespace StickyWs.Backends;

/// <summary>
/// Where pools and their backends come from. The configuration is the first source; discovery can be another. A source says only what is valid, and keeps
/// the last of it while it has trouble.
/// </summary>
internal interface IBackendSource
{
    /// <summary>What there is now.</summary>
    Definitions Current { get; }

    /// <summary>Calls back with every change, one at a time and in the order of the revisions, until the result is disposed of.</summary>
    IDisposable OnChange(Action<Definitions> changed);
}
