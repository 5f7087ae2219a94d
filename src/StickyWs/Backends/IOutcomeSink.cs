namespace StickyWs.Backends;

/// <summary>Where the data path tells what it saw of a backend. Whoever listens judges; the data path does not.</summary>
internal interface IOutcomeSink
{
    /// <summary>The backend took a connection or answered.</summary>
    void Succeeded(Backend backend);

    /// <summary>The backend refused, was silent, broke off, or answered nonsense.</summary>
    void Failed(Backend backend, string cause);
}
