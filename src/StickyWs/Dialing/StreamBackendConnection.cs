using System.Net.Sockets;

namespace StickyWs.Dialing;

/// <summary>A connection to a backend by the runtime's sockets, plain or TLS.</summary>
internal sealed class StreamBackendConnection(Socket socket, Stream stream) : BackendConnection
{
    public override Stream Stream => stream;

    public Socket Socket => socket;

    /// <summary>Says that nothing more will be sent, and goes on receiving: a half-close (FIN, with TLS a close_notify before it).</summary>
    public async ValueTask ShutdownSendAsync()
    {
        if (stream is DuplexTlsStream tls) await tls.FinishWritingAsync().ConfigureAwait(false);
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends the connection so that the backend sees that it broke (RST).</summary>
    public void Abort()
    {
        socket.Close(0);
        stream.Dispose();
    }

    public override void Dispose() => stream.Dispose();
}
