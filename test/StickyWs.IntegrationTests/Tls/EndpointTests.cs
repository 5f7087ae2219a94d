using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Which https endpoints end their TLS in the raw lane, and with what. On Linux only.</summary>
public sealed class EndpointTests : BalancerTest
{
    public static TheoryData<string, string> Obstacles { get; } = new()
    {
        { nameof(HttpsConnectionAdapterOptions.OnAuthenticate), "it sets OnAuthenticate" },
        { nameof(HttpsConnectionAdapterOptions.ClientCertificateMode), "it asks for client certificates later (DelayCertificate)" },
        { nameof(TlsHandshakeCallbackOptions), "it has a callback for its options, which is given the SslStream" },
        { "TlsClientHelloBytesCallback", "it sets TlsClientHelloBytesCallback" },
        { "RawLane", "the raw lane is off" },
        { nameof(SslProtocols), "Tls11, Tls12 has other versions than TLS 1.2 and 1.3" },
    };

    [Fact]
    public async Task An_https_endpoint_ends_TLS_in_the_raw_lane_and_says_so()
    {
        SkipElsewhere();
        var balancer = Start(listen => listen.UseHttps(TestCertificate.Server));

        Assert.Contains(": TLS ends in the raw lane", Line(balancer, "TlsInRawLane"), StringComparison.Ordinal);
        using var http = Client();
        Assert.Equal(TestBalancer.AppAnswer, await http.GetStringAsync(new Uri(balancer.Address, "/app"), Wait.Token()));
    }

    [Fact]
    public async Task A_second_sniffer_inside_TLS_changes_nothing_and_says_nothing()
    {
        SkipElsewhere();
        var balancer = Start(listen => listen.UseHttps(TestCertificate.Server).UseStickyWebSocketBalancing());

        Assert.Contains(": TLS ends in the raw lane", Line(balancer, "TlsInRawLane"), StringComparison.Ordinal);
        using var http = Client();
        Assert.Equal(TestBalancer.AppAnswer, await http.GetStringAsync(new Uri(balancer.Address, "/app"), Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(Obstacles))]
    public async Task What_it_cannot_do_stays_with_Kestrel_which_serves_as_ever(string option, string obstacle)
    {
        SkipElsewhere();
        var balancer = Start(listen => UseHttps(listen, option), rawLane: option == "RawLane" ? "Off" : "Auto");

        Assert.EndsWith(obstacle, Line(balancer, "TlsInKestrel"), StringComparison.Ordinal);
        using var http = Client();
        Assert.Equal(TestBalancer.AppAnswer, await http.GetStringAsync(new Uri(balancer.Address, "/app"), Wait.Token()));
    }

    [Fact]
    public void A_plain_endpoint_says_nothing_of_TLS()
    {
        var balancer = Start(static _ => { });

        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event is "TlsInRawLane" or "TlsInKestrel");
    }

    [Fact]
    public async Task The_endpoints_selector_chooses_the_certificate_by_name()
    {
        SkipElsewhere();
        using var other = SelfSigned("other.test");
        var isOnReactor = false;
        var balancer = Start(listen => listen.UseHttps(https => https.ServerCertificateSelector = (connection, name) =>
        {
            isOnReactor |= !Thread.CurrentThread.IsThreadPoolThread;
            return connection is not null && name == "other.test" ? other : TestCertificate.Server;
        }));

        Assert.Equal("CN=other.test", await SubjectAsync(balancer, "other.test"));
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "localhost"));
        Assert.Equal("CN=other.test", await SubjectAsync(balancer, "other.test"));
        Assert.False(isOnReactor);
    }

    [Fact]
    public async Task A_selector_without_a_certificate_fails_the_handshake_and_no_other()
    {
        SkipElsewhere();
        using var client = TestClients.Certificate("client", TestClients.ForClients);
        var balancer = Start(listen => listen.UseHttps(https
            => https.ServerCertificateSelector = (_, name) => name switch
            {
                "localhost" => TestCertificate.Server,
                "client" => client,
                "throws" => throw new InvalidOperationException("no such name"),
                _ => null,
            }));

        await Assert.ThrowsAnyAsync<Exception>(() => SubjectAsync(balancer, "unknown"));
        await Assert.ThrowsAnyAsync<Exception>(() => SubjectAsync(balancer, "throws"));
        await Assert.ThrowsAnyAsync<Exception>(() => SubjectAsync(balancer, "client")); // It is not for servers.
        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "localhost"));
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_chain_file_with_the_certificate_in_it_is_sent_as_by_Kestrel(string mode)
    {
        SkipElsewhere();
        var path = TestCertificate.WriteAuthorityFile();
        using var authority = X509CertificateLoader.LoadCertificateFromFile(path);
        File.Delete(path);
        X509Certificate2Collection chain = [TestCertificate.Server, authority];
        var settings = Pool("http://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/pool").With("Transport:Tls", mode);
        var balancer = Owned(Balancer.Start(settings, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https
            => (https.ServerCertificate, https.ServerCertificateChain) = (TestCertificate.Server, chain)))));

        await using var client = await TlsWire.ConnectAsync(balancer.Address, SslProtocols.Tls12);

        Assert.Equal(1, client.Certificates);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task The_endpoints_protocols_hold(SslProtocols only)
    {
        SkipElsewhere();
        var balancer = Start(listen => listen.UseHttps(https => (https.ServerCertificate, https.SslProtocols) = (TestCertificate.Server, only)));
        var other = only == SslProtocols.Tls12 ? SslProtocols.Tls13 : SslProtocols.Tls12;

        await using var stream = await OpenAsync(balancer, "localhost", only);
        Assert.Equal(only, stream.SslProtocol);
        await Assert.ThrowsAnyAsync<Exception>(() => OpenAsync(balancer, "localhost", other));
    }

    public static TheoryData<string, SslProtocols, bool> Connections { get; }
        = new MatrixTheoryData<string, SslProtocols, bool>(["Auto", "OpenSsl", "SslStream"], [SslProtocols.Tls12, SslProtocols.Tls13], [false, true]);

    [Theory]
    [MemberData(nameof(Connections))]
    public async Task The_application_sees_what_was_agreed_on(string mode, SslProtocols protocol, bool isHttp2)
    {
        SkipElsewhere();
        var seen = new TaskCompletionSource<IFeatureCollection>(TaskCreationOptions.RunContinuationsAsynchronously);
        var balancer = Start(
            listen => listen.UseHttps(TestCertificate.Server).Use(next => connection =>
            {
                seen.SetResult(connection.Features);
                return next(connection);
            }), mode);

        var offered = isHttp2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11;
        await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", null, protocol, offered);
        await stream.WriteAsync(isHttp2 ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray() : "GET /app HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), Wait.Token());

        var features = await seen.Task.WaitAsync(Wait.Bound);
        var handshake = features.Get<ITlsHandshakeFeature>()!;
        Assert.Equal((protocol, stream.NegotiatedCipherSuite), (handshake.Protocol, handshake.NegotiatedCipherSuite!.Value));
        if (mode != "SslStream") Assert.Equal("localhost", handshake.HostName); // Kestrel itself knows it of endpoints with a selector only.
        Assert.Equal(offered.Protocol.ToArray(), features.Get<ITlsApplicationProtocolFeature>()!.ApplicationProtocol.ToArray());
        Assert.Null(features.Get<ITlsConnectionFeature>()!.ClientCertificate);
        Assert.Null(await features.Get<ITlsConnectionFeature>()!.GetClientCertificateAsync(Wait.Token()));
    }

    // That which came later ends first, as it has less time.
    [Theory]
    [InlineData("Auto")]
    [InlineData("OpenSsl")]
    public async Task The_endpoints_time_for_a_handshake_holds(string mode)
    {
        SkipElsewhere();
        var balancer = Owned(Balancer.Start(Pool("http://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/pool").With("Transport:Tls", mode), kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Server));
            kestrel.Listen(
                IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Server, https => https.HandshakeTimeout = TimeSpan.FromSeconds(0.3)));
        }));
        await using var whole = await TlsWire.ConnectAsync(balancer.Addresses[0]);
        foreach (var hello in (byte[][])[whole.Hello[..^1], whole.Hello])
        {
            await using var patient = await RawClient.ConnectAsync(new UriBuilder(balancer.Addresses[0]) { Scheme = "http" }.Uri);
            await using var impatient = await RawClient.ConnectAsync(new UriBuilder(balancer.Addresses[1]) { Scheme = "http" }.Uri);
            await patient.WriteAsync(hello);
            var longer = patient.WaitForEndAsync();
            await impatient.WriteAsync(hello);
            var shorter = impatient.WaitForEndAsync();

            Assert.Same(shorter, await Task.WhenAny(longer, shorter));
            patient.Reset();
            await longer;
        }
    }

    private static void UseHttps(ListenOptions listen, string option)
    {
        if (option == nameof(TlsHandshakeCallbackOptions))
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = static _ => new ValueTask<SslServerAuthenticationOptions>(
                    new SslServerAuthenticationOptions { ServerCertificate = TestCertificate.Server }),
            });
            return;
        }

        listen.UseHttps(https =>
        {
            https.ServerCertificate = TestCertificate.Server;
            switch (option)
            {
                case nameof(https.OnAuthenticate):
                    https.OnAuthenticate = static (_, _) => { };
                    break;
                case nameof(https.ClientCertificateMode):
                    https.ClientCertificateMode = ClientCertificateMode.DelayCertificate;
                    break;
                case nameof(SslProtocols):
#pragma warning disable SYSLIB0039, CA5397 // A version that is too old is what is tested.
                    https.SslProtocols = SslProtocols.Tls11 | SslProtocols.Tls12;
#pragma warning restore SYSLIB0039, CA5397
                    break;
                case "TlsClientHelloBytesCallback":
#pragma warning disable CS0618 // Obsolete, and still in use.
                    https.TlsClientHelloBytesCallback = static (_, _) => { };
#pragma warning restore CS0618
                    break;
            }
        });
    }

    private static async Task<string> SubjectAsync(Balancer balancer, string name)
    {
        await using var stream = await OpenAsync(balancer, name, SslProtocols.None);
        return stream.RemoteCertificate!.Subject;
    }

    private static async Task<SslStream> OpenAsync(Balancer balancer, string name, SslProtocols protocols)
    {
        var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, balancer.Address.Port, Wait.Token());
        var stream = new SslStream(socket.GetStream());
        try
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = name,
                EnabledSslProtocols = protocols,
                AllowTlsResume = false, // SslStream resumes with any server of the process that has the same certificate.
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            };
            await stream.AuthenticateAsClientAsync(options, Wait.Token());
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static HttpClient Client()
        => new(new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = static (_, _, _, _) => true } });

    private static string Line(Balancer balancer, string name) => Assert.Single(balancer.Log.Lines, line => line.Event == name).Text;

    private static void SkipElsewhere() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");

    private Balancer Start(Action<ListenOptions> listen, string tls = "Auto", string rawLane = "Auto")
        => Owned(Balancer.Start(
            Pool("http://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/pool").With("Transport:Tls", tls).With("Transport:RawLane", rawLane),
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen)));
}
