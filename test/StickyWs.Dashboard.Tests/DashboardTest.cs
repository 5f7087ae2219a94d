using System.Text.Json.Nodes;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What the tests have in common: hosts and backends that end with them.</summary>
public abstract class DashboardTest : IAsyncLifetime
{
    private readonly Stack<IAsyncDisposable> _owned = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        while (_owned.TryPop(out var owned)) await owned.DisposeAsync();
    }

    // Peers that answer no goodbye are not waited for.
    protected static LiveSettings Pool(params string[] addresses) => new LiveSettings().WithPool("chat", addresses)
        .With("Pools:chat:Drain:CloseTimeout", "00:00:00.1").With("Pools:chat:Drain:Over", "00:00:00");

    protected T Owned<T>(T thing)
        where T : IAsyncDisposable
    {
        _owned.Push(thing);
        return thing;
    }

    protected async Task<LiveSettings> EchoPoolAsync(int count = 1)
    {
        var addresses = new string[count];
        for (var i = 0; i < count; i++) addresses[i] = Owned(await EchoBackend.StartAsync(((char)('a' + i)).ToString())).Address;
        return Pool(addresses);
    }

    internal async Task<DashboardHost> StartAsync(int backends = 1, Action<StickyWsDashboardOptions>? configure = null)
        => Owned(await DashboardHost.StartAsync(await EchoPoolAsync(backends), configure: configure));

    internal async Task<RawClient[]> OpenAsync(DashboardHost host, int count)
    {
        var clients = new RawClient[count];
        for (var i = 0; i < count; i++) clients[i] = Owned(await host.OpenTunnelAsync());
        await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == count);
        return clients;
    }

    /// <summary>What answers with a Close, and leaves when it is told to go.</summary>
    protected static async Task SeeOutAsync(RawClient client)
    {
        await client.WaitForEndAsync();
        await client.DisposeAsync();
    }

    protected static string Kind(JsonNode problem) => ((string)problem["type"]!)["urn:stickyws:".Length..];
}
