using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>Makes the probe that a pool asks for.</summary>
internal interface IProbeFactory
{
    /// <returns><see langword="null"/> when the pool is not probed.</returns>
    IProbe? Create(PoolOptions pool);

    /// <summary>A mere connect to a pool's backends, and TLS where their addresses ask for it.</summary>
    IProbe CreateConnect(PoolOptions pool);
}
