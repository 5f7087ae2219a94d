using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace StickyWs.Dialing;

/// <summary>The metric tag <c>error.type</c> of a connect that failed.</summary>
internal static class DialError
{
    public const string Timeout = "timeout";

    /// <summary>The client left while the connect was under way.</summary>
    public const string Abandoned = "abandoned";

    public static string TypeOf(Exception failure) => failure switch
    {
        OperationCanceledException => Timeout,
        SocketException socket => socket.SocketErrorCode.ToString(),
        AuthenticationException or CryptographicException => "tls",
        HttpRequestException { InnerException: AuthenticationException or CryptographicException } => "tls",
        { InnerException: SocketException socket } => socket.SocketErrorCode.ToString(),
        HttpRequestException http => http.HttpRequestError.ToString(),
        _ => failure.GetType().Name,
    };
}
