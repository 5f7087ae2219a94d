namespace StickyWs.Backends;

/// <summary>
/// A source of pools and their backends. The configuration is the first one; discovery can be another. A source provides only valid definitions, and
/// keeps the last ones while it has trouble.
/// </summary>
internal interface IBackendSource
{
    /// <summary>The current definitions.</summary>
    Definitions Current { get; }

    /// <summary>Calls back on every change, one at a time and in the order of the revisions, until the result is disposed.</summary>
    IDisposable OnChange(Action<Definitions> changed);
}
