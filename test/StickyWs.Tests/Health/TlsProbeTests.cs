using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>The probe of a pool whose TLS is passed through: as a client of the pool it asks for a server name.</summary>
public sealed class TlsProbeTests : IDisposable
{
    private readonly string _authority = TestCertificate.WriteAuthorityFile();

    public void Dispose() => File.Delete(_authority);

    [Fact]
    public async Task Probe_CertificateForTheServerName_IsGood()
    {
        await using var backend = Backend();

        Assert.Null(await ProbeRun.OnceAsync(Address(backend), pool => Tls(pool, "localhost")));
    }

    [Fact]
    public async Task Probe_CertificateForAnotherName_Fails()
    {
        await using var backend = Backend();

        Assert.Contains("RemoteCertificateNameMismatch", await ProbeRun.OnceAsync(Address(backend), pool => Tls(pool, "mail.example.com")),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_NameOfItsOwn_TakesPrecedence()
    {
        await using var backend = Backend();

        Assert.Null(await ProbeRun.OnceAsync(Address(backend), pool =>
        {
            Tls(pool, "*.example.com", "mail.example.com");
            pool.Tls.ServerName = "localhost";
        }));
    }

    [Fact]
    public async Task Probe_CertificateOfAnUnknownAuthority_FailsUnlessAnyWillDo()
    {
        await using var backend = Backend();

        Assert.StartsWith("TLS: ", await ProbeRun.OnceAsync(Address(backend), pool =>
        {
            Tls(pool, "localhost");
            pool.Tls.CaCertificateFile = null;
        }), StringComparison.Ordinal);
        Assert.Null(await ProbeRun.OnceAsync(Address(backend), pool =>
        {
            Tls(pool, "localhost");
            (pool.Tls.CaCertificateFile, pool.Tls.DangerousAcceptAnyCertificate) = (null, true);
        }));
    }

    [Fact]
    public async Task Probe_ServerWithoutTls_Fails()
    {
        await using var backend = RawBackend.Start(async (_, wire) =>
        {
            await wire.ReadAsync(new byte[1000]);
            await wire.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n");
            await wire.FinishAsync();
        });

        Assert.NotNull(await ProbeRun.OnceAsync(Address(backend), pool => Tls(pool, "localhost")));
    }

    [Fact]
    public async Task Probe_Asked_SendsTheFirstExactName()
    {
        var asked = new TaskCompletionSource<string?>();
        await using var backend = RawBackend.Start(async (_, wire) =>
        {
            var bytes = new byte[16 * 1024];
            var length = await wire.ReadAsync(bytes);
            default(StickyWs.Detection.HelloReader).Read(new System.Buffers.ReadOnlySequence<byte>(bytes, 0, length), out var hello);
            asked.SetResult(hello?.ServerName);
            await wire.FinishAsync();
        });

        Assert.NotNull(await ProbeRun.OnceAsync(Address(backend), pool => Tls(pool, "*.example.com", "mail.example.com", "other.example.com")));
        Assert.Equal("mail.example.com", await asked.Task.WaitAsync(Wait.Token()));
    }

    [Fact]
    public void Pipeline_AnotherName_IsAnotherProbe()
    {
        static string Identity(string name)
        {
            var pool = new PoolOptions { Health = { Tls = new TlsProbeOptions() }, Match = { ServerNames = { name } } };
            return new ProbePipeline(new ProbeFactory().Create(pool)!, pool, TimeProvider.System).Identity;
        }

        Assert.Equal(Identity("a.example"), Identity("a.example"));
        Assert.NotEqual(Identity("a.example"), Identity("b.example"));
    }

    private static RawBackend Backend() => RawBackend.Start((_, _) => Task.CompletedTask, certificate: TestCertificate.Server);

    private static string Address(RawBackend backend) => $"tcp://127.0.0.1:{backend.Port}";

    private void Tls(PoolOptions pool, params string[] names)
    {
        pool.Health.Tls = new TlsProbeOptions();
        pool.Tls.Mode = PoolTlsMode.Passthrough;
        pool.Tls.CaCertificateFile = _authority;
        foreach (var name in names) pool.Match.ServerNames.Add(name);
    }
}
