namespace StickyWs.Backends;

/// <summary>Where the data path reports what it saw of a backend. The listener judges; the data path does not.</summary>
internal interface IOutcomeSink
{
    /// <summary>The backend answered.</summary>
    void Succeeded(Backend backend);

    /// <summary>The backend refused, was silent, broke off, or answered nonsense. The balancer's own shortages are not reported.</summary>
    void Failed(Backend backend, Suspicion suspicion);

    /// <summary>A request found no backend: probes of the pool's backends are due at once.</summary>
    void Missed(PoolSnapshot pool);
}
