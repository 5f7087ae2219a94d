using System.Net;
using System.Net.Sockets;

namespace StickyWs.Tests.Transport;

/// <summary>A socket that listens and does not block, as listeners of the raw transport take it.</summary>
internal static class ListeningSocket
{
    /// <param name="endPoint">Where; by default on a free port of the loopback.</param>
    public static Socket Open(IPEndPoint? endPoint = null)
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen(16);
        listening.Blocking = false;
        return listening;
    }
}
