using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>A handshake in memory with OpenSSL's own client, and a record each way: with own records, and with the SSL object kept.</summary>
internal static class TlsSelfTest
{
    private const int MostFlights = 8;

    /// <summary>What went wrong, or <see langword="null"/>.</summary>
    public static string? FirstFailure()
    {
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=self-test", key, HashAlgorithmName.SHA256);
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            return Try(certificate, keepsSsl: false) ?? Try(certificate, keepsSsl: true);
        }
        catch (Exception e) when (e is CryptographicException or TlsUnavailableException or EntryPointNotFoundException or InvalidOperationException)
        {
            return "the self-test failed: " + e.Message;
        }
    }

    private static string? Try(X509Certificate2 certificate, bool keepsSsl)
    {
        using var context = TlsServerContext.Create(new TlsServerSettings { Certificate = certificate, KeepsSsl = keepsSsl });
        using var server = TlsEnd.Accept(context);
        using var client = new TlsSelfTestClient();
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < MostFlights && (server.Status == TlsStatus.Handshaking || !client.IsOpen); flight++)
        {
            toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray(), out _);
        }

        if (server.Status != TlsStatus.Open) return $"the self-test failed: {server.FailureReason ?? "the handshake does not end"}";
        var isOwn = server.TakeFacts()?.Protocol == SslProtocols.Tls13 && !keepsSsl;
        if (server.HasOwnRecords != isOwn) return "the self-test failed: OpenSSL cannot hand over its connection";
        var isHeard = server.Receive([.. toServer, .. client.Write("ping"u8)]).Plain.SequenceEqual("ping"u8);
        client.Receive(server.Seal("pong"u8).ToArray(), out var answer);
        return isHeard && answer.AsSpan().SequenceEqual("pong"u8) ? null : "the self-test failed: a record could not be read";
    }
}
