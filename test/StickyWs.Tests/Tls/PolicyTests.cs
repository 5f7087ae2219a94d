using System.Security.Authentication;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>What auditors of a TLS server look for: no old version, no early data. Suites and renegotiation are in <see cref="OpenSslClientTests"/>.</summary>
public sealed class PolicyTests : TlsTest
{
    [Theory]
    [InlineData(0x0301)]
    [InlineData(0x0302)]
    public void Version_BelowTls12_IsRefusedWithAnAlert(int version)
    {
        foreach (var protocols in (SslProtocols[])[SslProtocols.None, SslProtocols.Tls12, SslProtocols.Tls13])
        {
            var server = Accept(Settings(protocols));
            using var client = new TlsSelfTestClient(context =>
            {
                NativeClient.SetVersion(context, version);
                Assert.Equal(1, NativeClient.SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0"));
            });

            var step = server.Receive(client.Receive([], out _));

            Assert.Equal(TlsStatus.Failed, step.Status);
            Assert.Equal((21, 2, (byte)TlsAlert.protocol_version), (step.ToPeer[0], step.ToPeer[5], step.ToPeer[6]));
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls13, SslProtocols.Tls12)]
    public void Version_ThatIsNotServed_IsRefusedWithAnAlert(SslProtocols served, SslProtocols offered)
    {
        var server = Accept(Settings(served));
        using var client = new TlsSelfTestClient(context => NativeClient.SetVersion(context, offered == SslProtocols.Tls12 ? 0x0303 : 0x0304));

        var step = server.Receive(client.Receive([], out _));

        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Equal((21, 2, (byte)TlsAlert.protocol_version), (step.ToPeer[0], step.ToPeer[5], step.ToPeer[6]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tickets_AllowNoEarlyData(bool keepsSsl)
    {
        var server = Accept(Settings(SslProtocols.Tls13, keepsSsl));
        using var client = new TlsSelfTestClient();
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < 4; flight++) toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray(), out _);
        var session = NativeClient.SSL_get1_session(client.Ssl);

        Assert.Equal(1, OpenSsl.SSL_SESSION_is_resumable(session));
        Assert.Equal(0u, NativeClient.SSL_SESSION_get_max_early_data(session));
        NativeClient.SSL_SESSION_free(session);
    }
}
