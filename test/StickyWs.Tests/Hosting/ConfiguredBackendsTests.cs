using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Hosting;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Hosting;

/// <summary>The configuration as a source: each valid load is a revision.</summary>
public sealed class ConfiguredBackendsTests : IDisposable
{
    private readonly Monitor _monitor = new(Fleet.Options(1));
    private readonly ConfiguredBackends _source;

    public ConfiguredBackendsTests() => _source = new ConfiguredBackends(_monitor);

    public void Dispose() => _source.Dispose();

    [Fact]
    public void Current_IsWhatTheOptionsSay_InTheOrderOfNames()
    {
        _monitor.Set(Fleet.Options(pool =>
        {
            pool.Backends["b"].Weight = 7;
            pool.Backends["b"].MaxTunnels = 9;
            pool.Backends["a"].Enabled = false;
        }, 1, 1));

        var pool = Assert.Single(_source.Current.Pools);

        Assert.Equal(["a", "b"], pool.Backends.Select(backend => backend.Name));
        Assert.Equal((false, true), (pool.Backends[0].IsEnabled, pool.Backends[1].IsEnabled));
        Assert.Equal((7, 9), (pool.Backends[1].Weight, pool.Backends[1].MaxTunnels));
        Assert.Equal(_source.Current.Revision, pool.Revision);
    }

    [Fact]
    public void Current_WithoutAChange_IsTheSame() => Assert.Same(_source.Current, _source.Current);

    [Fact]
    public void Change_IsTold_WithANewRevision_UntilNobodyListens()
    {
        var first = _source.Current;
        List<Definitions> told = [];
        var listening = _source.OnChange(told.Add);

        _monitor.Set(Fleet.Options(1, 1));
        _monitor.Set(Fleet.Options(1));
        listening.Dispose();
        _monitor.Set(Fleet.Options(1));

        Assert.Equal([first.Revision + 1, first.Revision + 2], told.Select(definitions => definitions.Revision));
        Assert.Equal(first.Revision + 3, _source.Current.Revision);
    }

    [Fact]
    public void Change_BeforeAnybodyAsked_IsWhatIsCurrent()
    {
        _monitor.Set(Fleet.Options(1, 1, 1));

        Assert.Equal(3, Assert.Single(_source.Current.Pools).Backends.Length);
    }

    [Fact]
    public void Registry_GivenAnOlderRevision_KeepsTheNewer()
    {
        var (registry, older) = (Fleet.Registry(Fleet.Options(1)), Definitions.Of(Fleet.Options(1, 1), 1));

        registry.Apply(Definitions.Of(Fleet.Options(1, 1, 1), 5));
        registry.Apply(older);

        Assert.Equal(5, registry.Current.Revision);
        Assert.Equal(3, Fleet.PoolOf(registry).Backends.Length);
    }

    private sealed class Monitor(StickyWsOptions current) : IOptionsMonitor<StickyWsOptions>
    {
        private Action<StickyWsOptions, string?>? _listeners;

        public StickyWsOptions CurrentValue { get; private set; } = current;

        public void Set(StickyWsOptions options)
        {
            CurrentValue = options;
            _listeners?.Invoke(options, null);
        }

        public StickyWsOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<StickyWsOptions, string?> listener)
        {
            _listeners += listener;
            return null;
        }
    }
}
