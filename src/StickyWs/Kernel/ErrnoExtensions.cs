using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Kernel;

/// <summary>Errors of the kernel as .NET's own sockets would report them.</summary>
internal static class ErrnoExtensions
{
    public static SocketException ToSocketException(this Errno error) => new((int)(error switch
    {
        Errno.ConnectionRefused => SocketError.ConnectionRefused,
        Errno.ConnectionReset or Errno.BrokenPipe => SocketError.ConnectionReset,
        Errno.TimedOut => SocketError.TimedOut,
        Errno.NetworkUnreachable => SocketError.NetworkUnreachable,
        Errno.NetworkDown => SocketError.NetworkDown,
        Errno.HostUnreachable => SocketError.HostUnreachable,
        Errno.HostDown => SocketError.HostDown,
        Errno.TooManyFiles or Errno.TableFull => SocketError.TooManyOpenSockets,
        Errno.AddressNotAvailable => SocketError.AddressNotAvailable,
        Errno.NoBuffers or Errno.OutOfMemory or Errno.Again => SocketError.NoBufferSpaceAvailable,
        Errno.Aborted => SocketError.OperationAborted,
        _ => SocketError.Fault, // Not SocketError itself, which is what .NET calls a lack of memory.
    }), $"errno {(int)error} ({error})");

    /// <summary>As Kestrel's and the HTTP client's connections report it.</summary>
    public static IOException ToConnectionException(this Errno error)
        => error is Errno.ConnectionReset or Errno.BrokenPipe ? ToResetException(error.ToSocketException()) : error.ToIOException();

    public static IOException ToIOException(this Errno error)
    {
        var inner = error.ToSocketException();
        return new IOException(inner.Message, inner);
    }

    private static ConnectionResetException ToResetException(SocketException inner) => new(inner.Message, inner);
}
