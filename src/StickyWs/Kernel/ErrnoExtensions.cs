using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Kernel;

/// <summary>Errors of the kernel as .NET's own sockets would report them.</summary>
internal static class ErrnoExtensions
{
    public static SocketException ToSocketException(this Errno error) => new((int)(error switch
    {
        Errno.ECONNREFUSED => SocketError.ConnectionRefused,
        Errno.ECONNRESET or Errno.EPIPE => SocketError.ConnectionReset,
        Errno.ETIMEDOUT => SocketError.TimedOut,
        Errno.ENETUNREACH => SocketError.NetworkUnreachable,
        Errno.ENETDOWN => SocketError.NetworkDown,
        Errno.EHOSTUNREACH => SocketError.HostUnreachable,
        Errno.EHOSTDOWN => SocketError.HostDown,
        Errno.EMFILE or Errno.ENFILE => SocketError.TooManyOpenSockets,
        Errno.EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        Errno.ENOBUFS or Errno.ENOMEM or Errno.EAGAIN => SocketError.NoBufferSpaceAvailable,
        Errno.ECONNABORTED => SocketError.OperationAborted,
        _ => SocketError.Fault, // Not SocketError itself, which is what .NET calls a lack of memory.
    }), $"errno {(int)error} ({error})");

    /// <summary>As Kestrel's and the HTTP client's connections report it.</summary>
    public static IOException ToConnectionException(this Errno error)
        => error is Errno.ECONNRESET or Errno.EPIPE ? ToResetException(error.ToSocketException()) : error.ToIOException();

    public static IOException ToIOException(this Errno error)
    {
        var inner = error.ToSocketException();
        return new IOException(inner.Message, inner);
    }

    private static ConnectionResetException ToResetException(SocketException inner) => new(inner.Message, inner);
}
