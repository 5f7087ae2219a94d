using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Kernel;

/// <summary>Maps kernel errors to the exceptions that .NET's own sockets would throw.</summary>
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
        Errno.ENOBUFS or Errno.ENOMEM or Errno.EAGAIN or Errno.ENOSPC => SocketError.NoBufferSpaceAvailable,
        Errno.ECONNABORTED => SocketError.OperationAborted,
        _ => SocketError.Fault, // Not SocketError.SocketError (-1), which .NET maps to "out of memory".
    }), $"errno {(int)error} ({error})");

    /// <summary>The exception that Kestrel's and HttpClient's connections would throw.</summary>
    public static IOException ToConnectionException(this Errno error)
        => error is Errno.ECONNRESET or Errno.EPIPE ? ToResetException(error.ToSocketException()) : error.ToIOException();

    public static IOException ToIOException(this Errno error)
    {
        var inner = error.ToSocketException();
        return new IOException(inner.Message, inner);
    }

    /// <summary>The same, with the system call that failed.</summary>
    public static IOException ToIOException(this Errno error, string call) => new($"{call}: {error}", error.ToSocketException());

    private static ConnectionResetException ToResetException(SocketException inner) => new(inner.Message, inner);
}
