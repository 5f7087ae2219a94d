using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>Which errors of a connect are this process's or machine's own, and say nothing of the address that was asked for.</summary>
internal static class LocalShortage
{
    /// <summary>
    /// Whether it is a lack of descriptors or memory. <see cref="SocketError.SocketError"/> stands for errors without a .NET name, such as ENOMEM;
    /// <see cref="SocketError.OperationAborted"/> is what this side itself has ended.
    /// </summary>
    public static bool IsLocalShortage(this SocketError error)
        => error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.SocketError or SocketError.OperationAborted;
}
