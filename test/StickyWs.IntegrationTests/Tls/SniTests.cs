using System.Net.Security;
using System.Security.Authentication;
using StickyWs.IntegrationTests.Reload;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>An endpoint with a section <c>Sni</c>: in the raw lane as by Kestrel.</summary>
public sealed class SniTests : ReloadTest
{
    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task Each_name_has_its_certificate_its_versions_and_its_protocols(string mode)
    {
        var port = FreePort();
        var balancer = StartConfigured(Settings(port), mode);

        Assert.Equal("exact.test", await SubjectAsync(port, "exact.test"));
        Assert.Equal("exact.test", await SubjectAsync(port, "EXACT.test"));
        Assert.Equal("wild", await SubjectAsync(port, "a.wild.test"));
        Assert.Equal("wild", await SubjectAsync(port, "a.b.wild.test"));
        Assert.Equal("deeper", await SubjectAsync(port, "a.deep.wild.test"));
        Assert.Equal("any", await SubjectAsync(port, "wild.test"));
        Assert.Equal("any", await SubjectAsync(port, "elsewhere.test"));
        Assert.Equal("any", await SubjectAsync(port, "127.0.0.1")); // No name is sent.
        await using (var wild = await OfferBothAsync(port, "a.wild.test"))
        {
            Assert.Equal((SslProtocols.Tls12, SslApplicationProtocol.Http11), (wild.SslProtocol, wild.NegotiatedApplicationProtocol));
            Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(wild), StringComparison.Ordinal);
        }

        await using (var exact = await OfferBothAsync(port, "exact.test"))
            Assert.Equal((SslProtocols.Tls13, SslApplicationProtocol.Http2), (exact.SslProtocol, exact.NegotiatedApplicationProtocol));
        Assert.Equal(mode == "Auto" ? 1 : 0, balancer.Log.Lines.Count(line => line.Event == "TlsInRawLane"));
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_name_without_options_is_refused(string mode)
    {
        var port = FreePort();
        var settings = Settings(port);
        settings.Change(data =>
        {
            foreach (var key in data.Keys.Where(key => key.Contains(":Sni:*:", StringComparison.Ordinal)).ToList()) data.Remove(key);
        });
        StartConfigured(settings, mode);

        await Assert.ThrowsAnyAsync<Exception>(() => SubjectAsync(port, "elsewhere.test"));
        Assert.Equal("exact.test", await SubjectAsync(port, "exact.test"));
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task One_name_may_require_client_certificates(string mode)
    {
        var port = FreePort();
        var settings = Settings(port);
        settings.Change(data => data["Kestrel:Endpoints:Main:Sni:exact.test:ClientCertificateMode"] = "RequireCertificate");
        StartConfigured(settings, mode);

        await using (var open = await TestClients.OpenAsync(port, "elsewhere.test"))
            Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(open), StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var closed = await TestClients.OpenAsync(port, "exact.test");
            await TestClients.AskAsync(closed);
        });
    }

    [Fact]
    public async Task A_name_that_asks_for_certificates_later_leaves_the_endpoint_to_Kestrel()
    {
        var port = FreePort();
        var settings = Settings(port);
        settings.Change(data => data["Kestrel:Endpoints:Main:Sni:a.wild.test:ClientCertificateMode"] = "DelayCertificate");
        settings.Change(data => data["Kestrel:Endpoints:Main:Sni:a.wild.test:Protocols"] = "Http1");
        settings.Change(data => data["Kestrel:Endpoints:Main:Sni:a.wild.test:Certificate:Path"] = FileOf("wild"));

        var balancer = StartConfigured(settings);

        Assert.EndsWith("(DelayCertificate) at 'a.wild.test'", Assert.Single(balancer.Log.Lines, line => line.Event == "TlsInKestrel").Text,
            StringComparison.Ordinal);
        Assert.Equal("any", await SubjectAsync(port, "elsewhere.test"));
    }

    // Otherwise it would be found out in a handshake, on a reactor, and that would fail.
    [Fact]
    public async Task A_wildcard_is_looked_at_even_beside_a_name_that_would_be_its_example()
    {
        var port = FreePort();
        var settings = Settings(port);
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Sni:*.wild.test:ClientCertificateMode"] = "DelayCertificate";
            data["Kestrel:Endpoints:Main:Sni:x.wild.test:Certificate:Path"] = FileOf("wild");
        });

        var balancer = StartConfigured(settings);

        Assert.Single(balancer.Log.Lines, line => line.Event == "TlsInKestrel");
        Assert.Equal("wild", await SubjectAsync(port, "y.wild.test"));
    }

    [Fact]
    public async Task A_tunnel_under_a_name_is_relayed_in_the_raw_lane()
    {
        var port = FreePort();
        var backend = Owned(RawBackend.Opening());
        StartConfigured(Settings(port, backend.Address));
        await using var client = await TestClients.OpenAsync(port, "exact.test");
        await client.WriteAsync(System.Text.Encoding.ASCII.GetBytes(HttpHead.Handshake("/chat")), Wait.Token());
        await using var end = await backend.NextTunnelAsync();

        await client.WriteAsync("through"u8.ToArray(), Wait.Token());

        Assert.Equal("through", await end.ReadTextAsync(7));
    }

    private static Task<SslStream> OfferBothAsync(int port, string name)
        => TestClients.OpenAsync(port, name, null, SslProtocols.None, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);

    private static async Task<string> SubjectAsync(int port, string name)
    {
        await using var stream = await TestClients.OpenAsync(port, name);
        Assert.StartsWith("HTTP/1.1 200 ", await TestClients.AskAsync(stream), StringComparison.Ordinal);
        return stream.RemoteCertificate!.Subject["CN=".Length..];
    }

    private LiveSettings Settings(int port, string backend = "http://127.0.0.1:1")
    {
        var settings = Pool(backend);
        settings.Change(data =>
        {
            data["Kestrel:Endpoints:Main:Url"] = $"https://127.0.0.1:{port}";
            data["Kestrel:Endpoints:Main:Sni:*.wild.test:SslProtocols:0"] = "Tls12";
            data["Kestrel:Endpoints:Main:Sni:*.wild.test:Protocols"] = "Http1";
            foreach (var (name, subject) in new[]
            {
                ("exact.test", "exact.test"), ("*.wild.test", "wild"), ("*.deep.wild.test", "deeper"), ("*", "any"),
            })
            {
                WriteCertificate(FileOf(subject), subject);
                data[$"Kestrel:Endpoints:Main:Sni:{name}:Certificate:Path"] = FileOf(subject);
            }
        });
        return settings;
    }
}
