using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>
/// Handshakes in memory with OpenSSL's own other side, and a record each way: with own records, and with the SSL object kept.
/// </summary>
internal static class TlsSelfTest
{
    private const int MostFlights = 8;

    /// <summary>What went wrong with a server's end, or <see langword="null"/>.</summary>
    public static string? FirstFailure() => FirstFailure(TryServer);

    /// <summary>What went wrong with a client's end, or <see langword="null"/>.</summary>
    public static string? FirstClientFailure() => FirstFailure(TryClient);

    private static string? FirstFailure(Func<X509Certificate2, bool, string?> attempt)
    {
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=self-test", key, HashAlgorithmName.SHA256);
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            var failure = attempt(certificate, false) ?? attempt(certificate, true);
            return failure is null ? null : "the self-test failed: " + failure;
        }
        catch (Exception e) when (e is CryptographicException or TlsUnavailableException or EntryPointNotFoundException or InvalidOperationException)
        {
            return "the self-test failed: " + e.Message;
        }
    }

    private static string? TryServer(X509Certificate2 certificate, bool keepsSsl)
    {
        using var context = TlsServerContext.Create(new TlsServerSettings { Certificate = certificate, KeepsSsl = keepsSsl });
        using var server = TlsEnd.Accept(context);
        using var client = new TlsSelfTestClient();
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < MostFlights && (server.Status == TlsStatus.Handshaking || !client.IsOpen); flight++)
        {
            toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray(), out _);
        }

        if (FailureOf(server, keepsSsl) is { } failure) return failure;
        var isHeard = server.Receive([.. toServer, .. client.Write("ping"u8)]).Plain.SequenceEqual("ping"u8);
        client.Receive(server.Seal("pong"u8).ToArray(), out var answer);
        return isHeard && answer.AsSpan().SequenceEqual("pong"u8) ? null : "a record could not be read";
    }

    // Its server is an end that keeps its SSL object: what it seals, its tickets too, are OpenSSL's records.
    private static string? TryClient(X509Certificate2 certificate, bool keepsSsl)
    {
        using var serverContext = TlsServerContext.Create(new TlsServerSettings { Certificate = certificate, KeepsSsl = true });
        using var clientContext = TlsClientContext.Create(new TlsClientSettings { KeepsSsl = keepsSsl });
        using var server = TlsEnd.Accept(serverContext);
        using var client = TlsEnd.Connect(clientContext, "self-test");
        var toServer = client.Start().ToPeer.ToArray();
        for (var flight = 0; flight < MostFlights && (server.Status == TlsStatus.Handshaking || client.Status == TlsStatus.Handshaking); flight++)
        {
            var toClient = server.Receive(toServer).ToPeer.ToArray();
            toServer = client.Receive(toClient).ToPeer.ToArray();
        }

        if (server.Status != TlsStatus.Open) return server.FailureReason ?? "the handshake does not end";
        if (FailureOf(client, keepsSsl) is { } failure) return failure;
        var isHeard = server.Receive([.. toServer, .. client.Seal("ping"u8)]).Plain.SequenceEqual("ping"u8);
        var isAnswered = client.Receive(server.Seal("pong"u8).ToArray()).Plain.SequenceEqual("pong"u8);
        return isHeard && isAnswered ? null : "a record could not be read";
    }

    private static string? FailureOf(TlsEnd end, bool keepsSsl)
    {
        if (end.Status != TlsStatus.Open) return end.FailureReason ?? "the handshake does not end";
        var isOwn = end.TakeFacts()?.Protocol == SslProtocols.Tls13 && !keepsSsl;
        return end.HasOwnRecords == isOwn ? null : "OpenSSL cannot hand over its connection";
    }
}
