using System.ComponentModel;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using StickyWs.Names;

namespace StickyWs.Backends;

/// <summary>How much a failure proves, and what a failed connect is evidence of.</summary>
internal static class EvidenceExtensions
{
    private const int ApplicationProtocolMismatch = unchecked((int)0x80090367);
    private const int OpenSslReasons = 0xFFF;
    private const int NoApplicationProtocol = 1120;

    /// <summary>Whether it proves the backend's own state: nothing sent by a client contributed to it.</summary>
    public static bool IsProof(this Evidence evidence) => evidence is >= Evidence.Refused and <= Evidence.TlsFailed;

    /// <summary>Whether it is the balancer's own problem, and not the backend's fault.</summary>
    public static bool IsOurs(this Evidence evidence) => evidence is Evidence.OutOfResources or Evidence.OutOfReach;

    /// <summary>In words, for a log line.</summary>
    public static string ToText(this Evidence evidence) => evidence switch
    {
        Evidence.Refused => "connection refused",
        Evidence.ConnectTimedOut => "no connection within the connect time-out",
        Evidence.Unreachable => "host unreachable, or the connection broke at once",
        Evidence.NotResolved => "host name not found",
        Evidence.TlsFailed => "TLS failed",
        Evidence.NoAnswer => "connection closed without an answer",
        Evidence.BadAnswer => "answer not valid",
        Evidence.TimedOut => "no answer in time",
        Evidence.BrokenAnswer => "answer broken off",
        Evidence.DiesYoung => "tunnels broken off soon after they opened",
        Evidence.OutOfResources => "the balancer is out of descriptors or memory",
        Evidence.OutOfReach => "the balancer has no free port towards this backend, or no name server",
        _ => "nothing",
    };

    /// <summary>What a failed connect (name resolution, TCP and TLS) is evidence of.</summary>
    public static Evidence OfConnect(Exception failure) => failure switch
    {
        OperationCanceledException => Evidence.ConnectTimedOut,
        SocketException socket => Of(socket.SocketErrorCode),
        OutOfMemoryException or CryptographicException or UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException
            => Evidence.OutOfResources,
        { InnerException: SocketException inner } => Of(inner.SocketErrorCode),
        HttpRequestException { InnerException: { } inner } => OfConnect(inner),
        AuthenticationException tls => IsChoiceOfProtocol(tls) ? Evidence.BadAnswer : Evidence.TlsFailed,
        _ => OwnShortage.IsDescriptors ? Evidence.OutOfResources : Evidence.Unreachable,
    };

    // The alert no_application_protocol (RFC 7301 section 3.2), in the words of OpenSSL (older versions give only its number) and Schannel: the server is
    // healthy, and was offered a protocol that it does not support.
    private static bool IsChoiceOfProtocol(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            var isIt = failure switch
            {
                Win32Exception windows => windows.NativeErrorCode == ApplicationProtocolMismatch,
                CryptographicException ssl => (ssl.HResult & OpenSslReasons) == NoApplicationProtocol
                    || ssl.Message.Contains("no application protocol", StringComparison.OrdinalIgnoreCase),
                _ => false,
            };
            if (isIt) return true;
        }

        return false;
    }

    // The resolver needs descriptors itself; without one it reports that the name does not exist.
    private static Evidence Of(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => Evidence.Refused,
        SocketError.TimedOut => Evidence.ConnectTimedOut,
        _ when error.IsLocalShortage() => Evidence.OutOfResources,
        SocketError.AddressNotAvailable => Evidence.OutOfReach,
        SocketError.TryAgain or SocketError.NoRecovery => OwnShortage.IsDescriptors ? Evidence.OutOfResources : Evidence.OutOfReach,
        SocketError.HostNotFound or SocketError.NoData => OwnShortage.IsDescriptors ? Evidence.OutOfResources : Evidence.NotResolved,
        _ => OwnShortage.IsDescriptors ? Evidence.OutOfResources : Evidence.Unreachable,
    };
}
