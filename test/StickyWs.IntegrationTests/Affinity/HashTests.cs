using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class HashTests : AffinityTest
{
    private const int Keys = 1000;

    /// <summary>What a client sends that is hashed.</summary>
    public enum Source
    {
        Header,
        Query,
        ClientAddress,
        ForwardedAddress,
    }

    public static TheoryData<Source> Sources { get; } = new(Enum.GetValues<Source>());

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task A_key_has_one_backend_through_any_instance_and_in_any_way_a_thousand_times_of_a_thousand(Source source)
    {
        var backends = await StartEchoesAsync(5);
        var raw = Start(Lane.Raw, Settings(backends, source));
        var portable = Start(Lane.Portable, Settings(backends, source));

        var found = new ConcurrentBag<(string? Raw, string? Portable, string? Plain, string? PlainElsewhere)>();
        await ForEachKeyAsync(async key => found.Add((
            await AskedAsync(raw, Lane.Raw, source, key), await AskedAsync(portable, Lane.Portable, source, key),
                await AskedAsync(raw, null, source, key), await AskedAsync(portable, null, source, key))));

        Assert.Equal(Keys, found.Count(four => four is { Raw: { } name } && four == (name, name, name, name)));
        Assert.All(found.GroupBy(four => four.Raw), group => Assert.InRange(group.Count(), 140, 260));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task When_one_of_five_backends_is_removed_only_its_keys_move(Source source)
    {
        var backends = await StartEchoesAsync(5);
        var balancer = Start(Lane.Raw, Settings(backends, source));
        var before = await BackendsByKeyAsync(balancer, source);

        balancer.Settings.Change(data => data.Remove("StickyWs:Pools:chat:Backends:c:Address"));
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Backends.Length == 4);
        var after = await BackendsByKeyAsync(balancer, source);

        var moved = before.Where(pair => after[pair.Key] != pair.Value).ToList();
        Assert.All(moved, pair => Assert.Equal("c", pair.Value));
        Assert.InRange(moved.Count, 140, 260);
        Assert.All(moved.GroupBy(pair => after[pair.Key]), group => Assert.InRange(group.Count(), 20, 90));
    }

    [Fact]
    public async Task A_forwarded_address_counts_from_a_trusted_proxy_and_as_if_its_client_had_come_itself()
    {
        var backends = await StartEchoesAsync(5);
        var trusting = Start(Lane.Raw, Settings(backends, Source.ForwardedAddress));
        var direct = Start(Lane.Raw, Settings(backends, Source.ClientAddress));

        var itself = new HashSet<string?>();
        for (var key = 0; key < 50; key++)
        {
            var behind = await AskedAsync(trusting, Lane.Raw, Source.ForwardedAddress, key);
            Assert.Equal(await AskedAsync(direct, Lane.Raw, Source.ClientAddress, key), behind);
            itself.Add(await AskedAsync(direct, Lane.Raw, Source.ForwardedAddress, key));
            itself.Add(await AskedAsync(direct, null, Source.ForwardedAddress, key));
        }

        Assert.Single(itself);
    }

    [Fact]
    public async Task What_a_client_writes_before_the_address_that_a_trusted_proxy_appends_is_nobodys_word()
    {
        var backends = await StartEchoesAsync(5);
        var balancer = Start(Lane.Raw, Settings(backends, Source.ForwardedAddress));
        var honest = await ReachAsync(balancer, Lane.Raw, "X-Forwarded-For: 10.9.8.7\r\n");

        for (var i = 0; i < 30; i++)
        {
            var headers = $"X-Forwarded-For: 10.0.0.{i}, 10.9.8.7\r\n";
            Assert.Equal(honest, await ReachAsync(balancer, Lane.Raw, headers));
            Assert.Equal(honest, BackendOf(await GetAsync(balancer, headers)));
        }
    }

    [Fact]
    public async Task Addresses_count_however_trusted_proxies_spread_them_over_lines()
    {
        var backends = await StartEchoesAsync(5);
        var balancer = Start(Lane.Raw, Settings(backends, Source.ForwardedAddress).With("TrustedProxies:1", "10.0.0.0/8"));

        for (var i = 1; i <= 30; i++)
        {
            var together = $"X-Forwarded-For: 192.0.2.{i}, 10.0.0.1\r\n";
            var apart = $"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 192.0.2.{i}\r\nX-Forwarded-For: 10.0.0.1\r\n";
            var backend = await ReachAsync(balancer, Lane.Raw, together);
            Assert.Equal(backend, await ReachAsync(balancer, Lane.Raw, apart));
            Assert.Equal(backend, BackendOf(await GetAsync(balancer, together)));
            Assert.Equal(backend, BackendOf(await GetAsync(balancer, apart)));
        }
    }

    [Fact]
    public async Task Clients_of_one_network_have_one_backend_when_the_pool_wants_so()
    {
        var backends = await StartEchoesAsync(5);
        var balancer = Start(Lane.Raw, PoolOf(backends).With("Pools:chat:Affinity:Rules:0:ClientAddress:IPv4PrefixLength", "16"));

        var networks = new HashSet<string?>();
        for (var network = 1; network <= 20; network++)
        {
            var names = new HashSet<string?>();
            for (var client = 1; client <= 5; client++)
                names.Add(await AskedFromAsync(balancer, IPAddress.Parse($"127.{network}.{client}.{client}"), HttpHead.Handshake()));
            networks.Add(Assert.Single(names));
        }

        Assert.Equal(5, networks.Count);
    }

    private static LiveSettings Settings(EchoBackend[] backends, Source source) => source switch
    {
        Source.Header => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Header:Name", "X-User"),
        Source.Query => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Query:Name", "room"),
        Source.ClientAddress => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:ClientAddress", ""),
        _ => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:ClientAddress", "").With("TrustedProxies:0", "127.0.0.1/32"),
    };

    private static async Task<string?> AskedAsync(Balancer balancer, Lane? lane, Source source, int key)
    {
        var target = source == Source.Query ? $"/chat?x=1&room=no%20{key}&room=2" : "/chat";
        var headers = source switch
        {
            Source.Header => $"X-User: user {key}\r\n",
            Source.ForwardedAddress => $"X-Forwarded-For: {Address(key)}\r\n",
            _ => "",
        };
        if (source != Source.ClientAddress) return BackendOf(await AskAsync(balancer, lane, headers, target));
        return await AskedFromAsync(balancer, Address(key), lane is null ? "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n" : HttpHead.Handshake());
    }

    // All of 127.0.0.0/8 is this machine, so that a client has an address of its own.
    private static async Task<string?> AskedFromAsync(Balancer balancer, IPAddress address, string head)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address, socket => socket.Bind(new IPEndPoint(address, 0)));
        return BackendOf(await client.AskAsync(head));
    }

    private static IPAddress Address(int key) => IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"127.1.{key / 200}.{(key % 200) + 1}"));

    private static async Task<ConcurrentDictionary<int, string?>> BackendsByKeyAsync(Balancer balancer, Source source)
    {
        var found = new ConcurrentDictionary<int, string?>();
        await ForEachKeyAsync(async key => found[key] = await AskedAsync(balancer, key % 2 == 0 ? null : Lane.Raw, source, key));
        return found;
    }

    private static Task ForEachKeyAsync(Func<int, Task> ask)
        => Parallel.ForAsync(0, Keys, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (key, _) => await ask(key));
}
