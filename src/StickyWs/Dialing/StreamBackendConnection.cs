using System.Net.Sockets;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>An upstream connection on the runtime's sockets, plaintext or TLS.</summary>
internal sealed class StreamBackendConnection(Socket socket, Stream stream) : BackendConnection
{
    public override Stream Stream => stream;

    public Socket Socket => socket;

    /// <summary>Half-closes the connection: sends a FIN (with TLS, after a close_notify), and goes on receiving.</summary>
    public async ValueTask ShutdownSendAsync()
    {
        if (stream is DuplexTlsStream tls) await tls.FinishWritingAsync().ConfigureAwait(false);
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends a read that waits, and all later ones.</summary>
    public void StopReceiving() => socket.Shutdown(SocketShutdown.Receive);

    /// <summary>Resets the connection (RST).</summary>
    public void Abort()
    {
        socket.Close(0);
        stream.Dispose();
    }

    public override ConnectionTuple? ReadTuple()
    {
        try
        {
            return EndPoints.ToTuple(socket.LocalEndPoint, socket.RemoteEndPoint);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return null;
        }
    }

    public override void Dispose() => stream.Dispose();
}
