using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Names;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The balancer runs out of what it needs for one more connection, and the client's state is on a certain backend.</summary>
public sealed class ShortageTests : AffinityTest
{
    public static TheoryData<Lane?> EveryWay { get; } = new(Ways);

    // Others could be reached. But that the balancer is short of something is no reason to leave the state behind.
    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task Its_client_is_told_to_come_again_and_nobody_is_blamed_and_the_pin_is_kept(Lane? lane)
    {
        var names = new Names();
        await using var a = Naming("a");
        await using var b = Naming("b");
        var settings = Pool($"http://a.test:{a.Port}", $"http://b.test:{b.Port}").With("Pools:chat:Affinity:Rules:0:Learn:Cookie", "sid")
            .With("Pools:chat:RetryAfter", "00:00:07");
        var balancer = Start(lane ?? Lane.Raw, settings, services => services.AddSingleton<INameResolver>(names));
        const string session = "Cookie: sid=1\r\n";
        var old = BackendOf(await AskAsync(balancer, lane))!;
        names.Short = old + ".test";

        for (var i = 0; i < 3; i++)
        {
            var refused = await AskAsync(balancer, lane, session);
            Assert.Equal(503, HttpHead.Status(refused));
            Assert.InRange(HttpHead.RetryAfter(refused), 7, 14);
        }

        Assert.All(balancer.Registry.Current.Pools.Single().Backends, backend => Assert.Equal((BackendState.Unknown, 0), (backend.State, backend.AwaySince)));
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event is "BackendFailedClient" or "BackendUnreachable" or "BackendStateChanged");
        Assert.Single(balancer.Log.Lines, line => line.Event == "OutOfResources");
        names.Short = null;
        Assert.Equal(old, BackendOf(await AskAsync(balancer, lane, session)));
        Assert.All(a.Heads.Concat(b.Heads), head => Assert.Null(HttpHead.Value(head, "StickyWs-Moved-From")));
    }

    // Each connection is for one request, so that each request needs a new one.
    private static RawBackend Naming(string name) => RawBackend.Start(async (self, wire) =>
    {
        var head = await self.TakeHeadAsync(wire);
        var headers = $"X-Backend: {name}\r\nSet-Cookie: sid=1\r\n";
        await wire.WriteAsync(HttpHead.Value(head, "Upgrade") is null
            ? $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n" : HttpHead.SwitchingProtocols(head, headers));
        if (HttpHead.Value(head, "Upgrade") is null) await wire.FinishAsync();
    });

    private sealed class Names : INameResolver
    {
        /// <summary>The name towards whose addresses there is nothing left.</summary>
        public string? Short { get; set; }

        public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
            => host == Short ? throw new SocketException((int)SocketError.TooManyOpenSockets) : new([IPAddress.Loopback]);
    }
}
