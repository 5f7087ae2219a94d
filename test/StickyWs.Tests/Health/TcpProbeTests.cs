using System.Net;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>The TCP probe; and, since it is nothing else, TLS towards backends.</summary>
public sealed class TcpProbeTests : IDisposable
{
    private readonly string _authority = TestCertificate.WriteAuthorityFile();

    public void Dispose() => File.Delete(_authority);

    [Fact]
    public async Task Probe_Listening_IsGoodAndSendsNothing()
    {
        var sent = new TaskCompletionSource<int>();
        await using var backend = RawBackend.Start(async (_, wire) => sent.SetResult((await wire.ReadToEndAsync()).Length));

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, Tcp));
        Assert.Equal(0, await sent.Task.WaitAsync(Wait.Token()));
    }

    [Fact]
    public async Task Probe_Refused_SaysSo() => Assert.Equal("connection refused", await ProbeRun.RefusedAsync(Tcp));

    [Fact]
    public async Task Probe_UnknownHost_SaysSo()
        => Assert.StartsWith("host name not", await ProbeRun.OnceAsync("http://backend.invalid:80", Tcp), StringComparison.Ordinal);

    [Fact]
    public async Task Probe_TlsByOwnAuthority_IsGood()
    {
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => tls.CaCertificateFile = _authority)));
    }

    [Fact]
    public async Task Probe_TlsByUnknownAuthority_Fails()
    {
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        Assert.StartsWith("TLS: ", await ProbeRun.OnceAsync(backend.Address, Tcp), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_TlsForAnotherName_Fails()
    {
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => (tls.CaCertificateFile, tls.ServerName) = (_authority, "other.test")));

        Assert.Contains("RemoteCertificateNameMismatch", cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_TlsForTheServerName_IsGood()
    {
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => (tls.CaCertificateFile, tls.ServerName) = (_authority, "localhost"))));
    }

    [Fact]
    public async Task Probe_TlsAcceptingAnyCertificate_IsGood()
    {
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => tls.DangerousAcceptAnyCertificate = true)));
    }

    [Fact]
    public async Task Probe_TlsToIPv6_IsGood()
    {
        Assert.SkipUnless(System.Net.Sockets.Socket.OSSupportsIPv6, "This machine has no IPv6.");
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, IPAddress.IPv6Loopback, TestCertificate.Server);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => tls.CaCertificateFile = _authority)));
    }

    [Fact]
    public async Task Probe_AuthorityFileWithoutCertificate_Fails()
    {
        await File.WriteAllTextAsync(_authority, "no PEM in here");
        await using var backend = RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Tls(pool, tls => tls.CaCertificateFile = _authority));

        Assert.Contains($"No PEM certificate in '{_authority}'", cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_TlsBackendSilent_TimesOut()
    {
        var reached = new TaskCompletionSource();
        await using var backend = RawBackend.Start((_, _) =>
        {
            reached.SetResult();
            return Task.CompletedTask;
        });

        var cause = await ProbeRun.SilentAsync(backend.Address.Replace("http:", "https:", StringComparison.Ordinal), reached.Task, Tcp);

        Assert.Equal("no answer within 2 s", cause);
    }

    private static void Tcp(PoolOptions pool) => pool.Health.Tcp = new TcpProbeOptions();

    private static void Tls(PoolOptions pool, Action<TlsOptions> change)
    {
        Tcp(pool);
        change(pool.Tls);
    }
}
