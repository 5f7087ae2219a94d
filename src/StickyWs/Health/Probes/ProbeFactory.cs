using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>The kinds of probes.</summary>
internal sealed class ProbeFactory : IProbeFactory
{
    public IProbe? Create(PoolOptions pool) => pool.Health.Probe switch
    {
        HttpProbeOptions http => new HttpProbe(http, pool.Tls, pool.HttpVersion),
        TcpProbeOptions => new TcpProbe(pool.Tls),
        TlsProbeOptions => new TlsProbe(pool),
        WebSocketProbeOptions webSocket => new WebSocketProbe(webSocket, pool.Tls),
        _ => null,
    };

    public IProbe CreateConnect(PoolOptions pool) => new TcpProbe(pool.Tls);
}

/// <summary>Creates the probe that a pool is configured with.</summary>
internal interface IProbeFactory
{
    /// <returns><see langword="null"/> when the pool is not probed.</returns>
    IProbe? Create(PoolOptions pool);

    /// <summary>A plain connect to a pool's backends, with TLS for https addresses.</summary>
    IProbe CreateConnect(PoolOptions pool);
}
