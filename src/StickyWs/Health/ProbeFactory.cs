using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>The three kinds of probes.</summary>
internal sealed class ProbeFactory : IProbeFactory
{
    public IProbe? Create(PoolOptions pool) => pool.Health.Probe switch
    {
        HttpProbeOptions http => new HttpProbe(http, pool.Tls, pool.HttpVersion),
        TcpProbeOptions => new TcpProbe(pool.Tls),
        WebSocketProbeOptions webSocket => new WebSocketProbe(webSocket, pool.Tls),
        _ => null,
    };

    public IProbe CreateConnect(PoolOptions pool) => new TcpProbe(pool.Tls);
}
