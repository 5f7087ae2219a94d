using System.Net.Security;
using System.Net.Sockets;

namespace StickyWs.Forwarding;

/// <summary>One connection to a backend, plain or TLS. Owned by the handshake, then handed over to the tunnel.</summary>
internal sealed class BackendConnection(Socket socket, Stream stream) : IDisposable
{
    /// <summary>Where bytes go in and out.</summary>
    public Stream Stream => stream;

    /// <summary>Says that nothing more will be sent, and goes on receiving: a half-close (FIN, with TLS a close_notify before it).</summary>
    public async ValueTask ShutdownSendAsync()
    {
        if (stream is SslStream tls) await tls.ShutdownAsync().ConfigureAwait(false);
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends the connection so that the backend sees that it broke (RST).</summary>
    public void Abort()
    {
        socket.Close(0);
        stream.Dispose();
    }

    public void Dispose() => stream.Dispose();
}
