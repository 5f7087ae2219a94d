using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Endpoints that ask for client certificates: in the raw lane as by SslStream. On Linux only.</summary>
public sealed class ClientCertificateTests : BalancerTest
{
    private readonly ConcurrentQueue<string?> _seen = new();
    private readonly ConcurrentQueue<string> _judged = new();

    public static TheoryData<string, SslProtocols> Modes { get; } = new()
    {
        { "Auto", SslProtocols.Tls13 },
        { "Auto", SslProtocols.Tls12 },
        { "OpenSsl", SslProtocols.Tls13 },
        { "SslStream", SslProtocols.Tls13 },
    };

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_applications_callback_judges_with_chain_and_errors_and_the_request_has_the_certificate(string mode, SslProtocols protocol)
    {
        using var certificate = TestClients.Certificate("client", TestClients.ForClients);
        var balancer = Start(mode, RequireJudged);

        for (var i = 0; i < 2; i++)
        {
            await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate, protocol);
            Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(stream), StringComparison.Ordinal);
        }

        // Each time: a session that is resumed would come without.
        Assert.Equal(["CN=client RemoteCertificateChainErrors UntrustedRoot 1 pool", "CN=client RemoteCertificateChainErrors UntrustedRoot 1 pool"], _judged);
        Assert.Equal(["CN=client", "CN=client"], _seen);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_client_may_come_without_a_certificate_where_it_is_only_allowed(string mode)
    {
        var balancer = Start(mode, https => https.ClientCertificateMode = ClientCertificateMode.AllowCertificate);

        await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost");

        Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(stream), StringComparison.Ordinal);
        Assert.Equal([null], _seen);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task Any_certificate_is_good_enough_where_the_application_says_so(string mode)
    {
        using var certificate = TestClients.Certificate("client", TestClients.ForServers);
        var balancer = Start(mode, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.AllowAnyClientCertificate();
        });

        await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate);

        Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(stream), StringComparison.Ordinal);
        Assert.Equal(["CN=client"], _seen);
    }

    [Theory]
    [InlineData("none", SslProtocols.Tls13, "certificate required")]
    [InlineData("none", SslProtocols.Tls12, "handshake failure")]
    [InlineData("unknown", SslProtocols.Tls13, "unknown ca")]
    [InlineData("unknown", SslProtocols.Tls12, "unknown ca")]
    [InlineData("server's", SslProtocols.Tls13, "unsupported certificate")]
    public async Task A_client_that_is_refused_learns_why_by_an_alert(string what, SslProtocols protocol, string alert)
    {
        using var certificate = what == "none" ? null : TestClients.Certificate("client", what == "unknown" ? TestClients.ForClients : TestClients.ForServers);
        var balancer = Start("Auto", https => https.ClientCertificateMode = ClientCertificateMode.RequireCertificate);

        var refused = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate, protocol);
            await TestClients.AskAsync(stream);
        });

        Assert.Contains(alert, refused.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(_seen);
    }

    [Fact]
    public async Task A_callback_that_throws_or_refuses_ends_this_handshake_and_no_other()
    {
        using var certificate = TestClients.Certificate("client", TestClients.ForClients);
        var calls = 0;
        var balancer = Start("Auto", https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (_, _, _) => ++calls switch
            {
                1 => throw new InvalidOperationException("no opinion"),
                2 => false,
                _ => true,
            };
        });

        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await using var refused = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate);
                await TestClients.AskAsync(refused);
            });
        }

        await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate);
        Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_beyond_the_limit_of_a_handshake_is_not_even_judged()
    {
        using var certificate = TestClients.Certificate("client", TestClients.ForClients, padding: 120_000);
        var balancer = Start("Auto", RequireJudged);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate);
            await TestClients.AskAsync(stream);
        });

        Assert.Empty(_judged);
    }

    [Fact]
    public async Task A_tunnel_of_a_client_with_a_certificate_is_relayed_in_the_raw_lane()
    {
        using var certificate = TestClients.Certificate("client", TestClients.ForClients);
        var backend = Owned(RawBackend.Opening());
        var balancer = Start("Auto", RequireJudged, backend.Address);
        await using var stream = await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate);
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(HttpHead.Handshake("/chat")), Wait.Token());
        await using var end = await backend.NextTunnelAsync();

        await end.WriteAsync("through");

        var received = new MemoryStream();
        await Wait.UntilAsync(async () =>
        {
            var buffer = new byte[1024];
            received.Write(buffer, 0, await stream.ReadAsync(buffer, Wait.Token()));
            return System.Text.Encoding.ASCII.GetString(received.ToArray()).EndsWith("\r\n\r\nthrough", StringComparison.Ordinal);
        });
        Assert.Empty(_seen); // Kestrel has not had it.
    }

    // A thread inherits the niceness of the one that asked the pool for it, and the pool's threads serve everybody.
    [Fact]
    public async Task Threads_of_the_pool_that_judge_are_as_nice_as_the_process()
    {
        const int more = 16;
        using var certificate = TestClients.Certificate("client", TestClients.ForClients);
        ThreadPool.GetMinThreads(out var workers, out var others);
        var crowd = ThreadPool.ThreadCount + more;
        ThreadPool.SetMinThreads(crowd + more, others);
        var mayJudge = new TaskCompletionSource();
        var niceness = new ConcurrentBag<string>();
        var balancer = Start("Auto", https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (_, _, _) =>
            {
                niceness.Add(Niceness("thread-self"));
                mayJudge.Task.Wait();
                return true;
            };
        });
        var clients = new List<SslStream>();
        try
        {
            for (var i = 0; i < crowd; i++) clients.Add(await TestClients.OpenAsync(balancer.Address.Port, "localhost", certificate, SslProtocols.Tls13));

            await Wait.UntilAsync(() => niceness.Count == crowd);
            Assert.Equal([Niceness("self")], niceness.Distinct());
        }
        finally
        {
            mayJudge.SetResult();
            foreach (var client in clients) await client.DisposeAsync();
            ThreadPool.SetMinThreads(workers, others);
        }

        static string Niceness(string whose) => File.ReadAllText($"/proc/{whose}/stat").Split(") ")[^1].Split(' ')[16];
    }

    private void RequireJudged(HttpsConnectionAdapterOptions https)
        => (https.ClientCertificateMode, https.ClientCertificateValidation) = (ClientCertificateMode.RequireCertificate, Judge);

    private bool Judge(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var purpose = chain!.ChainPolicy.ApplicationPolicy[0].Value;
        Assert.Equal(TestClients.ForClients, purpose);
        var thread = Thread.CurrentThread.IsThreadPoolThread ? "pool" : Thread.CurrentThread.Name;
        var all = string.Join(' ', chain.ChainStatus.Select(status => status.Status));
        _judged.Enqueue($"{certificate.Subject} {errors} {all} {chain.ChainElements.Count} {thread}");
        return true;
    }

    private Balancer Start(string mode, Action<HttpsConnectionAdapterOptions> configure, string backend = "http://127.0.0.1:1")
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var settings = Pool(backend).With("Pools:chat:Match:PathPrefixes:0", "/chat").With("Transport:Tls", mode);
        var balancer = Owned(Balancer.Start(settings, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.UseHttps(https =>
            {
                https.ServerCertificate = TestCertificate.Server;
                configure(https);
            });
            listen.Use(next => connection =>
            {
                _seen.Enqueue(connection.Features.Get<ITlsConnectionFeature>()!.ClientCertificate?.Subject);
                return next(connection);
            });
        })));
        var expected = mode == "SslStream" ? 0 : 1;
        Assert.Equal(expected, balancer.Log.Lines.Count(line => line.Event == "TlsInRawLane"));
        return balancer;
    }
}
