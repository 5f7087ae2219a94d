using System.Net.Sockets;
using System.Security.Authentication;
using Polly.Timeout;

namespace StickyWs.Health;

/// <summary>
/// The cause of a failed probe, in words for a log line. It never quotes what a backend sent: messages of the HTTP client may do that, and a hostile
/// status line must not write into the log.
/// </summary>
internal static class ProbeCause
{
    public static string Of(Exception failure) => failure switch
    {
        ProbeFailedException e => e.Message,
        TimeoutRejectedException e => $"no answer within {e.Timeout.TotalSeconds:0.###} s",
        SocketException e => Of(e.SocketErrorCode),
        AuthenticationException e => $"TLS: {(e.InnerException ?? e).Message}",
        HttpRequestException { InnerException: (SocketException or AuthenticationException) and var inner } => Of(inner),
        HttpRequestException e => Of(e.HttpRequestError, e),
        HttpIOException e => Of(e.HttpRequestError, e),
        IOException { InnerException: SocketException e } => Of(e),
        _ => $"{failure.GetType().Name}: {failure.Message}",
    };

    private static string Of(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "connection broken by the backend",
        SocketError.HostNotFound or SocketError.NoData => "host name not found",
        SocketError.TryAgain => "host name not resolved, the name server does not answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => "host unreachable",
        SocketError.TimedOut => "connect timed out",
        _ => $"socket error {error}",
    };

    private static string Of(HttpRequestError error, Exception failure) => error switch
    {
        HttpRequestError.ResponseEnded => "connection closed before the answer was complete",
        HttpRequestError.InvalidResponse => "the answer is not HTTP",
        HttpRequestError.ConfigurationLimitExceeded => "the answer's head is too long",
        HttpRequestError.HttpProtocolError => "the answer breaks the rules of HTTP/2",
        HttpRequestError.VersionNegotiationError => "the backend does not speak the pool's HTTP version",
        _ when failure.InnerException is { } inner => Of(inner),
        _ => $"HTTP error {error}",
    };
}
