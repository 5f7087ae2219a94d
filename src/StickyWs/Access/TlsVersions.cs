using System.Security.Authentication;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Access;

/// <summary>The version of a connection's TLS, as lines name it.</summary>
internal static class TlsVersions
{
    /// <summary><see langword="null"/> without TLS.</summary>
    public static string? Of(IFeatureCollection features) => features.Get<ITlsHandshakeFeature>()?.Protocol switch
    {
        null or SslProtocols.None => null,
        SslProtocols.Tls13 => "1.3",
        SslProtocols.Tls12 => "1.2",
        _ => "1.1", // Or earlier: nothing that is still allowed by default.
    };
}
