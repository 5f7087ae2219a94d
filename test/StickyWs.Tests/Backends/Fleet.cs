using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Tests.Backends;

/// <summary>Backends and pools for tests: named a, b, c and so on, on ports 5000, 5001, 5002 and so on.</summary>
internal static class Fleet
{
    public const string Pool = "chat";

    public static string Name(int place) => ((char)('a' + place)).ToString();

    public static Backend Backend(int place, int weight = 1, int? maxTunnels = null, TunnelTotal? total = null)
    {
        var backend = new Backend(Pool, Name(place), new Uri($"http://127.0.0.1:{5000 + place}"), total ?? new TunnelTotal());
        backend.Configure(weight, maxTunnels);
        return backend;
    }

    public static BackendSet Set(params int[] weights) => new(weights.Select((weight, place) => Backend(place, weight)));

    public static StickyWsOptions Options(params int[] weights) => Options(_ => { }, weights);

    public static StickyWsOptions Options(Action<PoolOptions> change, params int[] weights)
    {
        var pool = new PoolOptions();
        for (var place = 0; place < weights.Length; place++)
            pool.Backends[Name(place)] = new BackendOptions { Address = $"http://127.0.0.1:{5000 + place}", Weight = weights[place] };
        change(pool);
        return new StickyWsOptions { Pools = { [Pool] = pool } };
    }

    public static BackendRegistry Registry(StickyWsOptions options, FakeLogger<BackendRegistry>? logger = null, TimeProvider? time = null)
    {
        var registry = new BackendRegistry(logger ?? new FakeLogger<BackendRegistry>(), time ?? TimeProvider.System);
        registry.Apply(options);
        return registry;
    }

    public static PoolSnapshot PoolOf(BackendRegistry registry) => Assert.Single(registry.Current.Pools);

    public static string[] Names(IEnumerable<Backend> backends) => [.. backends.Select(backend => backend.Name)];
}
