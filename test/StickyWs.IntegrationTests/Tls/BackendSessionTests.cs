using System.Security.Authentication;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Tunnels to a backend resume the TLS session of an earlier one, as long as that was trusted under the same rules.</summary>
public sealed class BackendSessionTests : RawTlsBackendTest
{
    public static TheoryData<Lane, SslProtocols> Versions
        => new MatrixTheoryData<Lane, SslProtocols>(RawTlsBackendLanes.Select(lane => lane.Data), [SslProtocols.Tls12, SslProtocols.Tls13]);

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task The_second_handshake_is_resumed(Lane lane, SslProtocols protocol)
    {
        var backend = StartPeers(Settings() with { Protocols = protocol });
        var balancer = Start(lane, TrustingPool(Https(backend)));
        using var handshakes = balancer.Collect<double>("stickyws.tls.handshake.duration");

        for (var i = 0; i < 4; i++) Assert.Equal(i > 0, await OpenAsync(balancer, lane));

        var measured = handshakes.GetMeasurementSnapshot().Where(each => (string?)each.Tags["stickyws.tls.side"] == "backend").ToList();
        Assert.Equal([false, true, true, true], measured.Select(each => (bool)each.Tags["tls.resumed"]!));
        Assert.All(measured, each => Assert.Equal(protocol == SslProtocols.Tls12 ? "1.2" : "1.3", each.Tags["tls.protocol.version"]));
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Another_configuration_begins_with_a_full_handshake(Lane lane)
    {
        var (first, second) = (TestCertificate.WriteAuthorityFile(), TestCertificate.WriteAuthorityFile());
        try
        {
            var backend = StartPeers();
            var balancer = Start(lane, Pool(Https(backend)).With("Pools:chat:Tls:CaCertificateFile", first));
            Assert.False(await OpenAsync(balancer, lane));
            Assert.True(await OpenAsync(balancer, lane));

            balancer.Settings.Change(settings => settings["StickyWs:Pools:chat:Tls:CaCertificateFile"] = second);
            await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Options.Tls.CaCertificateFile == second);

            Assert.False(await OpenAsync(balancer, lane));
            Assert.True(await OpenAsync(balancer, lane));
        }
        finally
        {
            File.Delete(first);
            File.Delete(second);
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_backend_that_is_no_longer_trusted_is_refused(Lane lane)
    {
        var (trusted, other) = (TestCertificate.WriteAuthorityFile(), Path.GetTempFileName());
        try
        {
            using var stranger = TestCertificate.Issue("other", -1, 5, "other.test");
            await File.WriteAllTextAsync(other, stranger.ExportCertificatePem());
            var backend = StartPeers();
            var balancer = Start(lane, Pool(Https(backend)).With("Pools:chat:Tls:CaCertificateFile", trusted));
            Assert.False(await OpenAsync(balancer, lane));

            balancer.Settings.Change(settings => settings["StickyWs:Pools:chat:Tls:CaCertificateFile"] = other);
            await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Options.Tls.CaCertificateFile == other);
            var client = await ConnectAsync(balancer, lane);

            Assert.Equal(502, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }
        finally
        {
            File.Delete(trusted);
            File.Delete(other);
        }
    }

    // A backend that loses its mind about a session: it is offered no more.
    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task After_a_failed_handshake_the_next_one_is_full(Lane lane)
    {
        var isBroken = false;
        var context = TlsServerContext.Create(Settings() with { Protocols = SslProtocols.Tls12 });
        var resumed = new List<bool>();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var backend = OwnedClient(RawBackend.Start(async (_, wire) =>
        {
            if (Volatile.Read(ref isBroken))
            {
                Volatile.Write(ref isBroken, false);
                await wire.ReadAsync(new byte[5000]);
                await wire.WriteAsync("no"u8.ToArray());
                await wire.FinishAsync();
                return;
            }

            using var peer = new TlsPeer(wire, context);
            var switching = HttpHead.SwitchingProtocols(await peer.ReadHeadAsync());
            lock (resumed) resumed.Add(peer.End.TakeFacts()!.IsResumed);
            await wire.WriteAsync(peer.Seal(System.Text.Encoding.Latin1.GetBytes(switching)));
            await peer.ReadToEndAsync();
        }));
        var balancer = Start(lane, TrustingPool(Https(backend)));

        Assert.Equal(101, await AskAsync());
        Assert.Equal(101, await AskAsync());
        Volatile.Write(ref isBroken, true);
        Assert.Equal(502, await AskAsync());
        Assert.Equal(101, await AskAsync());

        lock (resumed) Assert.Equal([false, true, false], resumed);

        async Task<int> AskAsync()
        {
            await using var client = await balancer.ConnectAsync(lane);
            var status = HttpHead.Status(await client.AskAsync(HttpHead.Handshake()));
            await client.FinishAsync();
            return status;
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Kestrel_resumes_as_well(Lane lane)
    {
        var backend = OwnedClient(await EchoBackend.StartAsync("a", TestCertificate.Server));
        var balancer = Start(lane, TrustingPool(backend.Address));
        using var handshakes = balancer.Collect<double>("stickyws.tls.handshake.duration");
        for (var i = 0; i < 3; i++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }

        var resumed = handshakes.GetMeasurementSnapshot().Where(each => (string?)each.Tags["stickyws.tls.side"] == "backend")
            .Select(each => (bool)each.Tags["tls.resumed"]!);
        Assert.Equal([false, true, true], resumed);
    }

    // A tunnel that carries bytes, and whether its handshake with the backend was resumed.
    private async Task<bool> OpenAsync(Balancer balancer, Lane lane)
    {
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await NextPeerAsync();
        await client.WriteAsync("ping");
        Assert.Equal("ping"u8.ToArray(), await server.ReadExactlyAsync(4));
        await server.SendAsync("pong"u8);
        Assert.Equal("pong", await client.ReadTextAsync(4));
        return server.End.TakeFacts()!.IsResumed;
    }
}
