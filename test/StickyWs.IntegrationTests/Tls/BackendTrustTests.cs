using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Backends that are not who they should be, or do not get that far: another one serves, and the log and the registry say why.</summary>
public sealed class BackendTrustTests : RawTlsBackendTest
{
    private readonly string _authority;

    public BackendTrustTests() => _authority = Owned(new AuthorityFile()).Path;

    public static TheoryData<Lane, string, string> BadBackends { get; } =
    [
        .. from lane in RawTlsBackendLanes
        from bad in new (string Kind, string Cause)[]
        {
            ("untrusted", "errors in the certificate chain: "),
            ("expired", "errors in the certificate chain: NotTimeValid"),
            ("future", "errors in the certificate chain: NotTimeValid"),
            ("name", "according to the validation procedure: RemoteCertificateNameMismatch"),
            ("plain", "handshake failed"),
            ("closes", "closed the connection during the TLS handshake"),
            ("h2", "no application protocol"),
        }
        select new TheoryDataRow<Lane, string, string>(lane.Data, bad.Kind, bad.Cause),
    ];

    [Theory]
    [MemberData(nameof(BadBackends))]
    public async Task A_backend_that_cannot_be_trusted_gets_no_request_and_another_serves(Lane lane, string kind, string cause)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        using var certificate = CertificateOf(kind);
        var bad = StartBad(kind, certificate);
        var good = OwnedClient(RawBackend.Opening(certificate: TestCertificate.Server));
        var balancer = Owned(Balancer.Start(lane, Pool(Https(bad), good.Address).With("Pools:chat:Tls:CaCertificateFile", _authority),
            builder => builder.ConfigureLogging(logging => logging.AddFilter("StickyWs", LogLevel.Debug))));
        balancer.Log.Level = LogLevel.Debug;
        using var failures = balancer.Collect<long>("stickyws.dial.failures");

        var (client, server) = await OpenTunnelAsync(balancer, lane, good);

        await client.WriteAsync("ping");
        Assert.Equal("ping", await server.ReadTextAsync(4));
        Assert.Empty(bad.Heads);
        var line = Assert.Single(balancer.Log.Lines, line => line.Event == "DialFailed");
        Assert.Contains(cause, line.Text, StringComparison.Ordinal);
        var failure = Assert.Single(failures.GetMeasurementSnapshot());
        Assert.Equal(kind == "closes" ? "IOException" : "tls", failure.Tags["error.type"]);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_handshake_that_hangs_runs_into_the_connect_timeout_and_another_backend_serves(Lane lane)
    {
        using var silent = DeafListener.Start();
        var good = StartPeers();
        // Long enough for the good one's handshake on a busy machine.
        var settings = TrustingPool($"https://{silent.Address.Authority}", Https(good)).With("Pools:chat:Timeouts:Connect", "00:00:02");
        var balancer = Start(lane, settings);
        using var failures = balancer.Collect<long>("stickyws.dial.failures");
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        Assert.Equal("timeout", Assert.Single(failures.GetMeasurementSnapshot()).Tags["error.type"]);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_handshake_that_hangs_on_the_only_backend_is_a_504(Lane lane)
    {
        using var silent = DeafListener.Start();
        var balancer = Start(lane, TrustingPool($"https://{silent.Address.Authority}").With("Pools:chat:Timeouts:Connect", "00:00:00.3"));
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(504, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_client_that_leaves_during_the_TLS_handshake_releases_its_backend(Lane lane)
    {
        using var silent = DeafListener.Start();
        var balancer = Start(lane, TrustingPool($"https://{silent.Address.Authority}").With("Pools:chat:Timeouts:Connect", "00:01:00"));
        await using (var client = await balancer.ConnectAsync(lane))
        {
            await client.WriteAsync(HttpHead.Handshake());
            await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Any(pool => pool.Backends.Any(backend => backend.ActiveTunnels > 0)));
        }

        await balancer.AssertNoLeasesAsync();
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_failed_TLS_handshake_is_proof_against_a_backend(Lane lane)
    {
        using var certificate = CertificateOf("name");
        var bad = OwnedClient(RawBackend.Opening(certificate: certificate));
        var good = OwnedClient(RawBackend.Opening(certificate: TestCertificate.Server));
        var balancer = Start(lane, Pool(bad.Address, good.Address).With("Pools:chat:Tls:CaCertificateFile", _authority));

        // Each of these comes to the bad one first, or has no need to any more.
        for (var i = 0; i < 20 && State() != BackendState.Unhealthy; i++) await OpenTunnelAsync(balancer, lane, good);

        Assert.Equal(BackendState.Unhealthy, State());

        BackendState State() => balancer.Registry.Current.Pools.Single().Backends[0].State;
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task The_name_may_be_another_than_the_addresss(Lane lane)
    {
        using var certificate = TestCertificate.Issue("x", -1, 5, "*.backend.test");
        var backend = OwnedClient(RawBackend.Opening(certificate: certificate));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tls:CaCertificateFile", _authority)
            .With("Pools:chat:Tls:ServerName", "a.backend.test"));

        for (var i = 0; i < 3; i++) await OpenTunnelAsync(balancer, lane, backend);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_burst_of_tunnels_is_verified_whole(Lane lane)
    {
        var backend = OwnedClient(await EchoBackend.StartAsync("a", TestCertificate.Server));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tls:CaCertificateFile", _authority));

        await Parallel.ForAsync(0, 60, async (_, _) =>
        {
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        });
    }

    private static X509Certificate2? CertificateOf(string kind) => kind switch
    {
        "expired" => TestCertificate.Issue("localhost", -5, -1, "127.0.0.1"),
        "future" => TestCertificate.Issue("localhost", 2, 5, "127.0.0.1"),
        "name" => TestCertificate.Issue("localhost", -1, 5, "other.test", "127.0.0.3"),
        "untrusted" => SelfSigned(),
        _ => null,
    };

    private static X509Certificate2 SelfSigned()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5));
    }

    private RawBackend StartBad(string kind, X509Certificate2? certificate) => kind switch
    {
        "plain" => OwnedClient(RawBackend.Start(static async (_, wire) =>
        {
            await wire.ReadAsync(new byte[5000]);
            await wire.WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        })),
        "closes" => OwnedClient(RawBackend.Start(static async (_, wire) =>
        {
            await wire.ReadAsync(new byte[5000]);
            await wire.FinishAsync();
        })),
        "h2" => StartPeers(Settings() with { ApplicationProtocols = [SslApplicationProtocol.Http2] }),
        _ => OwnedClient(RawBackend.Opening(certificate: certificate)),
    };

    private sealed class AuthorityFile : IAsyncDisposable
    {
        public string Path { get; } = TestCertificate.WriteAuthorityFile();

        public ValueTask DisposeAsync()
        {
            File.Delete(Path);
            return ValueTask.CompletedTask;
        }
    }
}
