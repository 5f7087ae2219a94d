using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace StickyWs.Dialing;

/// <summary>Values of the metric tag <c>error.type</c> for a failed connect.</summary>
internal static class DialError
{
    public const string Timeout = "timeout";

    /// <summary>The client left during the connect.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>A failed handshake, or a certificate that was refused.</summary>
    public const string Tls = "tls";

    public static string TypeOf(Exception failure) => failure switch
    {
        OperationCanceledException => Timeout,
        SocketException socket => socket.SocketErrorCode.ToString(),
        AuthenticationException or CryptographicException => Tls,
        HttpRequestException { InnerException: AuthenticationException or CryptographicException } => Tls,
        { InnerException: SocketException socket } => socket.SocketErrorCode.ToString(),
        HttpRequestException http => http.HttpRequestError.ToString(),
        _ => failure.GetType().Name,
    };
}
