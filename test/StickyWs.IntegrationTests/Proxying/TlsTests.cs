using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Configuration;
using StickyWs.IntegrationTests.Pipeline;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public sealed class TlsTests : IDisposable
{
    private readonly string _authority = Path.GetTempFileName();

    public void Dispose() => File.Delete(_authority);

    [Fact]
    public async Task The_certificate_is_checked_for_the_backends_name_and_the_Host_stays_the_clients()
    {
        await using var a = await StartAsync("backend.test");
        await using var proxy = await ProxyHost.StartAsync(pool => Trust(pool, "backend.test"), a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        foreach (var host in new[] { "one.test", "two.test", "backend.test" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = host } };
            using var answer = await client.SendAsync(request);
            Assert.Equal($"HTTP/2 {host}", await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_certificate_for_the_name_that_the_client_asked_for_is_not_enough()
    {
        await using var a = await StartAsync("one.test");
        await using var proxy = await ProxyHost.StartAsync(pool => Trust(pool, "backend.test"), a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "one.test" } };
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(["a-TlsFailed"], proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, BackendHttpVersion.Auto, "HTTP/1.1")]
    [InlineData(HttpProtocols.Http1AndHttp2, BackendHttpVersion.Auto, "HTTP/2")]
    [InlineData(HttpProtocols.Http1AndHttp2, BackendHttpVersion.Http1, "HTTP/1.1")]
    [InlineData(HttpProtocols.Http2, BackendHttpVersion.Http2, "HTTP/2")]
    public async Task The_version_is_the_one_that_both_sides_speak(HttpProtocols protocols, BackendHttpVersion version, string expected)
    {
        await using var a = await StartAsync("backend.test", protocols);
        await using var proxy = await ProxyHost.StartAsync(
            pool =>
            {
                Trust(pool, "backend.test");
                pool.HttpVersion = version;
            },
            a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 3; i++) Assert.StartsWith(expected, await client.GetStringAsync("/"));
    }

    // Whatever speaks only HTTP/2 is well, and was offered another protocol: for a handshake always, and for a request where the pool wants HTTP/1.1.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backend_that_does_not_speak_what_we_offer_is_not_proved_ill(bool isHandshake)
    {
        await using var a = await StartAsync("backend.test", HttpProtocols.Http2);
        await using var host = await AppHost.StartAsync(
            _ => { },
            _ => { },
            (_, pool) =>
            {
                Trust(pool, "backend.test");
                pool.HttpVersion = BackendHttpVersion.Http1;
            },
            a.Address);

        Assert.Equal(502, HttpHead.Status(await host.AskAsync(isHandshake ? Way.Sniffed : Way.Http1)));

        Assert.Equal(["a-BadAnswer"], host.Outcomes.Seen);
    }

    private void Trust(PoolOptions pool, string name)
    {
        pool.Tls.ServerName = name;
        pool.Tls.CaCertificateFile = _authority;
    }

    private async Task<KestrelBackend> StartAsync(string name, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        var certificate = Issue(name);
        await File.WriteAllTextAsync(_authority, certificate.ExportCertificatePem());
        return await KestrelBackend.StartAsync(
            _ => { }, app => app.Run(context => context.Response.WriteAsync($"{context.Request.Protocol} {context.Request.Host}")), protocols, certificate);
    }

    private static X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        return X509CertificateLoader.LoadPkcs12(issued.Export(X509ContentType.Pkcs12), null);
    }
}
