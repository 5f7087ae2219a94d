namespace StickyWs.Backends;

/// <summary>Receives what the data path saw of a backend. The listener judges; the data path does not.</summary>
internal interface IOutcomeSink
{
    /// <summary>The backend answered.</summary>
    void Succeeded(Backend backend);

    /// <summary>The backend refused, was silent, aborted, or sent an invalid response. The balancer's own shortages are not reported.</summary>
    void Failed(Backend backend, Suspicion suspicion);

    /// <summary>A request found no backend: probes of the pool's backends are due at once.</summary>
    void Missed(PoolSnapshot pool);
}
