using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

/// <summary>One instance of the balancer with affinity, and a clock that stands still; several may share a clock and a store.</summary>
internal sealed class StickyRig
{
    public static readonly string Key = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());

    private readonly Action<PoolOptions> _change;

    public StickyRig(Action<PoolOptions> change, FakeTimeProvider? time = null, IPinStore? store = null)
    {
        _change = change;
        Time = time ?? new FakeTimeProvider();
        Registry = Fleet.Registry(Options(_ => { }), time: Time);
        Rig = new DispatchRig(Registry, Time, store);
    }

    /// <summary>With the one rule, three backends and whatever else the pool is to have.</summary>
    public StickyRig(Way way, Action<PoolOptions>? change = null, FakeTimeProvider? time = null)
        : this(
            pool =>
            {
                pool.Affinity.Rules.Add(Rule(way));
                change?.Invoke(pool);
            },
            time)
    {
    }

    public FakeTimeProvider Time { get; }

    public BackendRegistry Registry { get; }

    public DispatchRig Rig { get; }

    public PoolSnapshot Pool => Fleet.PoolOf(Registry);

    public static AffinityRuleOptions Rule(Way way) => way switch
    {
        Way.Cookie => new AffinityRuleOptions { Cookie = new CookieAffinityOptions { Keys = { Key } } },
        Way.Pin => new AffinityRuleOptions { Learn = new LearnAffinityOptions { Cookie = "sid" } },
        _ => new AffinityRuleOptions { Header = new HeaderAffinityOptions { Name = "X-User" } },
    };

    public Backend Backend(string name) => Pool.Backends.Single(backend => backend.Name == name);

    public void Report(string name, BackendState state) => Registry.Report(Backend(name), state, "test");

    /// <summary>Takes over another configuration.</summary>
    public void Apply(Action<PoolOptions> change) => Registry.Apply(Options(change));

    /// <summary>Every lease that was given is back.</summary>
    public void AssertIdle() => Assert.All(Pool.Backends, backend => Assert.Equal((0, 0), (backend.ActiveTunnels, backend.ActiveRequests)));

    private StickyWsOptions Options(Action<PoolOptions> more) => Fleet.Options(
        pool =>
        {
            _change(pool);
            more(pool);
        },
        1,
        1,
        1);
}
