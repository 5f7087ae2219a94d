using System.Net.Sockets;

namespace StickyWs.Backends;

/// <summary>
/// Whether the process is out of descriptors now. The name resolver and the TLS stack report such a shortage as other errors, so it is checked when
/// one of them fails.
/// </summary>
internal static class OwnShortage
{
    public static bool IsDescriptors
    {
        get
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                return false;
            }
            catch (SocketException e)
            {
                return e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;
            }
        }
    }
}
