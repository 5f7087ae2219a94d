using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Tls;

namespace StickyWs.Tests.Dialing;

/// <summary>The verdict on a backend's certificates is that of the runtime's SslStream, by the same options.</summary>
public sealed class BackendCertificatesTests : IDisposable
{
    private readonly string _authority = TestCertificate.WriteAuthorityFile();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly BackendCertificates _certificates;

    public BackendCertificatesTests()
    {
        Assert.SkipUnless(TlsSupport.FirstClientRefusal() is null, TlsSupport.FirstClientRefusal() ?? "");
        _certificates = new BackendCertificates(_time);
    }

    public static TheoryData<string, string?, int, int, string> Cases => new()
    {
        { "https://backend.test", null, -1, 1, "backend.test" },
        { "https://BACKEND.test.", null, -1, 1, "backend.test" },
        { "https://backend.test", "other.test", -1, 1, "other.test" },
        { "https://backend.test", "other.test", -1, 1, "backend.test" },
        { "https://backend.test", null, -1, 1, "*.test" },
        { "https://a.backend.test", null, -1, 1, "*.backend.test" },
        { "https://backend.test", null, -5, -1, "backend.test" },
        { "https://backend.test", null, 1, 5, "backend.test" },
        { "https://backend.test", null, -5, -1, "other.test" },
        { "https://127.0.0.1", null, -1, 1, "127.0.0.1" },
        { "https://127.0.0.1", null, -1, 1, "127.0.0.2" },
        { "https://127.0.0.1", null, -1, 1, "localhost" },
        { "https://[::1]", null, -1, 1, "::1" },
        { "https://bücher.test", null, -1, 1, "xn--bcher-kva.test" },
        { "https://backend.test", "bücher.test", -1, 1, "xn--bcher-kva.test" },
        { "https://under_score.test", null, -1, 1, "under_score.test" },
    };

    public void Dispose() => File.Delete(_authority);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JudgeAsync_IsTheVerdictOfSslStream(string address, string? serverName, int from, int until, string name)
    {
        foreach (var authority in (string?[])[_authority, null])
        {
            using var certificate = TestCertificate.Issue("x", from, until, name);
            var tls = new TlsOptions { ServerName = serverName, CaCertificateFile = authority };

            var verdict = await JudgeAsync(tls, address, certificate);

            var (errors, status, failure) = await AskRuntimeAsync(tls, new Uri(address), certificate);
            Assert.Equal((errors, status), (verdict.Errors, verdict.ChainStatus));
            Assert.Equal(failure, verdict.IsGood ? null : verdict.ToException().Message);
        }
    }

    [Fact]
    public async Task JudgeAsync_NoCertificates_IsBad()
    {
        var verdict = await _certificates.JudgeAsync(new TlsOptions(), new Uri("https://backend.test"), [], default);

        Assert.Equal(SslPolicyErrors.RemoteCertificateNotAvailable, verdict.Errors);
    }

    [Fact]
    public async Task JudgeAsync_BytesThatAreNoCertificate_AreBadAndNotOurFault()
    {
        var verdict = await _certificates.JudgeAsync(new TlsOptions(), new Uri("https://backend.test"), [[1, 2, 3]], default);

        Assert.False(verdict.IsGood);
        Assert.NotNull(verdict.Fault);
    }

    [Fact]
    public async Task JudgeAsync_DangerousAcceptAny_LooksAtNothing()
        => Assert.True((await _certificates.JudgeAsync(
            new TlsOptions { DangerousAcceptAnyCertificate = true }, new Uri("https://backend.test"), [], default)).IsGood);

    [Fact]
    public async Task JudgeAsync_FileThatIsGone_IsOurFault()
    {
        var tls = new TlsOptions { CaCertificateFile = _authority + ".gone" };

        var failure = await Assert.ThrowsAnyAsync<Exception>(async () => await JudgeAsync(tls, "https://localhost", TestCertificate.Server));

        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(failure));
    }

    [Fact]
    public async Task JudgeAsync_GoodVerdict_IsKeptForAMinute()
    {
        var tls = new TlsOptions { CaCertificateFile = _authority };
        var first = await JudgeAsync(tls, "https://localhost", TestCertificate.Server);

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Same(first, await JudgeAsync(tls, "https://localhost", TestCertificate.Server));
        Assert.NotSame(first, await JudgeAsync(tls, "https://127.0.0.1", TestCertificate.Server));
        Assert.NotSame(first, await JudgeAsync(new TlsOptions { CaCertificateFile = _authority }, "https://localhost", TestCertificate.Server));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotSame(first, await JudgeAsync(tls, "https://localhost", TestCertificate.Server));
    }

    [Fact]
    public async Task JudgeAsync_GoodVerdict_EndsWithItsCertificate()
    {
        using var certificate = TestCertificate.Issue("x", -1, 1, "localhost");
        _time.SetUtcNow(certificate.NotAfter.ToUniversalTime() - TimeSpan.FromSeconds(10));

        var verdict = await JudgeAsync(new TlsOptions { CaCertificateFile = _authority }, "https://localhost", certificate);

        Assert.Equal(certificate.NotAfter.ToUniversalTime(), verdict.GoodUntil.UtcDateTime);
    }

    [Fact]
    public async Task JudgeAsync_BadVerdict_IsNotKept()
    {
        var tls = new TlsOptions();
        var first = await JudgeAsync(tls, "https://other.test", TestCertificate.Server);

        Assert.False(first.IsGood);
        Assert.NotSame(first, await JudgeAsync(tls, "https://other.test", TestCertificate.Server));
    }

    [Fact]
    public async Task JudgeAsync_ManyAtOnce_BuildOneChain()
    {
        var tls = new TlsOptions { CaCertificateFile = _authority };

        var verdicts = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => JudgeAsync(tls, "https://localhost", TestCertificate.Server).AsTask()));

        Assert.Single(verdicts.Distinct(ReferenceEqualityComparer.Instance));
    }

    private ValueTask<CertificateVerdict> JudgeAsync(TlsOptions tls, string address, X509Certificate2 certificate)
        => _certificates.JudgeAsync(tls, new Uri(address), [certificate.RawData], default);

    // A handshake with the runtime on both sides.
    private static async Task<(SslPolicyErrors Errors, X509ChainStatusFlags Status, string? Failure)> AskRuntimeAsync(
        TlsOptions tls, Uri address, X509Certificate2 certificate)
    {
        var (errors, status) = (SslPolicyErrors.None, X509ChainStatusFlags.NoError);
        string? failure = null;
        foreach (var looks in (bool[])[true, false])
        {
            await using var backend = TestKit.RawBackend.Start((_, _) => Task.CompletedTask, certificate: certificate);
            using var socket = new System.Net.Sockets.TcpClient();
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, backend.Port);
            using var stream = new SslStream(socket.GetStream());
            var options = BackendTls.For(tls, address, SslApplicationProtocol.Http11);
            if (looks)
            {
                options.RemoteCertificateValidationCallback = (_, _, chain, found) =>
                {
                    errors = found;
                    status = chain!.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, each) => all | each.Status);
                    return true;
                };
            }

            var thrown = await Record.ExceptionAsync(() => stream.AuthenticateAsClientAsync(options));
            if (!looks) failure = thrown?.Message;
        }

        return (errors, status, failure);
    }
}
