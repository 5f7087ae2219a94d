using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>Whose TLS is passed through, and to whom, on one port with the TLS that ends here.</summary>
public sealed class RoutingTests : PassthroughTest
{
    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_server_that_is_named_is_reached_with_its_own_certificate(Door door)
    {
        var backend = StartTls();
        var balancer = Start(door, Passing(AddressOf(backend)));

        foreach (var protocol in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            var client = await SecureAsync(balancer, Name, protocol);

            Assert.Equal((protocol, $"CN={Name}"), (client.SslProtocol, client.RemoteCertificate!.Subject));
            Assert.Equal("hello ", await ReadAsync(client, 6));
            await client.WriteAsync("world"u8.ToArray(), Wait.Token());
            Assert.Equal("world", await ReadAsync(client, 5));
        }

        Assert.Equal(2, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(HttpsDoors))]
    public async Task Other_names_and_none_end_here_on_the_same_port(Door door)
    {
        var backend = StartTls();
        var balancer = Start(door, Passing(AddressOf(backend)));

        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "localhost"));
        Assert.Equal($"CN={Name}", await SubjectAsync(balancer, "MAIL.example.test"));
        Assert.Equal($"CN={Name}", await SubjectAsync(balancer, "one.wild.test"));
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "one.two.wild.test"));
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "wild.test"));
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "127.0.0.1"));
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = static (_, _, _, _) => true } });
        Assert.Equal(TestBalancer.AppAnswer, await http.GetStringAsync(new Uri(balancer.Address, "/app"), Wait.Token()));
    }

    [Theory]
    [InlineData(Door.HttpsRaw)]
    [InlineData(Door.HttpsSniffedInside)]
    public async Task WebSockets_inside_the_TLS_that_ends_here_are_sniffed_as_ever(Door door)
    {
        var (passed, chat) = (StartTls(), Owned(RawBackend.Opening()));
        var balancer = Start(door, Passing(AddressOf(passed)).WithPool("chat", chat.Address));

        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        Assert.Equal(0, passed.Connections);
        client.Reset();
    }

    [Theory]
    [InlineData(Door.Plain)]
    [InlineData(Door.PlainPortable)]
    public async Task Plain_requests_beside_it_are_served_and_never_go_there(Door door)
    {
        var backend = StartTls();
        var balancer = Start(door, Passing(AddressOf(backend)));
        using var http = new HttpClient();

        Assert.Equal(TestBalancer.AppAnswer, await http.GetStringAsync(new Uri(balancer.Address, "/app"), Wait.Token()));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(balancer.Address, "/")) { Headers = { Host = Name } };
        using var answer = await http.SendAsync(request, Wait.Token());
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(0, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task The_ClientHello_reaches_the_backend_as_it_came(Door door)
    {
        var hellos = new List<byte[]>();
        var backend = StartBare(hellos);
        var balancer = Start(door, Passing(AddressOf(backend)));
        var hello = HelloForge.Hello(Name, HelloForge.Protocols("h2"), (0xFE0D, [0, 1, 2, 3]));
        var client = await ConnectAsync(balancer);

        await client.WriteAsync((byte[])[.. hello, .. "and what follows it"u8]);

        Assert.Equal("!", await client.ReadTextAsync(1));
        var server = await backend.NextTunnelAsync();
        Assert.Equal("and what follows it", await server.ReadTextAsync(19));
        Assert.Equal(hello, Assert.Single(hellos));
        client.Reset();
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_client_returns_to_its_backend_by_its_address(Door door)
    {
        var backends = new[] { StartTls("backend-a "), StartTls("backend-b "), StartTls("backend-c ") };
        var balancer = Start(door, Passing([.. backends.Select(AddressOf)]).With("Pools:mail:Affinity:Rules:0:ClientAddress:IPv4PrefixLength", "32"));

        for (var i = 0; i < 6; i++) await ReadAsync(await SecureAsync(balancer, Name), 10);

        Assert.Equal([0, 0, 6], backends.Select(backend => backend.Connections).Order());
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Without_a_rule_the_pools_policy_spreads_its_clients(Door door)
    {
        var backends = new[] { StartTls(), StartTls() };
        var balancer = Start(door, Passing([.. backends.Select(AddressOf)]));

        for (var i = 0; i < 6; i++) await ReadAsync(await SecureAsync(balancer, Name), 6);

        Assert.Equal([3, 3], backends.Select(backend => backend.Connections));
    }

    [Theory]
    [MemberData(nameof(HttpsDoors))]
    public async Task A_reload_applies_to_new_connections_and_leaves_open_ones(Door door)
    {
        var backend = StartTls();
        var balancer = Start(door, new LiveSettings().WithPool("web", "http://127.0.0.1:1").With("Pools:web:Match:Hosts:0", "web.test"));
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, Name));

        balancer.Settings.Change(settings =>
        {
            settings["StickyWs:Pools:mail:Tls"] = "Passthrough";
            settings["StickyWs:Pools:mail:Match:ServerNames:0"] = Name;
            settings["StickyWs:Pools:mail:Backends:a:Address"] = AddressOf(backend);
        });
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Length == 2);
        var open = await SecureAsync(balancer, Name);
        Assert.Equal($"CN={Name}", open.RemoteCertificate!.Subject);

        balancer.Settings.Change(settings =>
        {
            foreach (var key in settings.Keys.Where(key => key.Contains(":mail:", StringComparison.Ordinal)).ToArray()) settings.Remove(key);
        });
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Length == 1);
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, Name));
        Assert.Equal("hello ", await ReadAsync(open, 6));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task It_is_logged_and_counted_like_any_tunnel(Door door)
    {
        var backend = StartTls();
        var balancer = Verbose(Start(door, Passing(AddressOf(backend))));
        using var opened = balancer.Collect<long>("stickyws.tunnels.opened");
        using var ended = balancer.Collect<long>("stickyws.tunnels.ended");
        using var handshakes = balancer.Collect<double>("stickyws.handshake.duration");

        var client = await SecureAsync(balancer, Name);
        await ReadAsync(client, 6);
        await client.ShutdownAsync();
        await client.DisposeAsync();

        await Wait.UntilAsync(() => ended.GetMeasurementSnapshot().Count == 1);
        var tags = Assert.Single(ended.GetMeasurementSnapshot()).Tags;
        Assert.Equal(("mail", "a", Lane(door), "unknown"),
            (tags["stickyws.pool"], tags["stickyws.backend"], tags["stickyws.lane"], tags["stickyws.farewell"]));
        Assert.Equal(Lane(door), Assert.Single(opened.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
        Assert.Equal("Opened", Assert.Single(handshakes.GetMeasurementSnapshot()).Tags["stickyws.handshake.outcome"]);
        Assert.Contains($"TLS for {Name} (", Logged(balancer, "TlsPassedThrough"), StringComparison.Ordinal);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Warning);
    }
}
