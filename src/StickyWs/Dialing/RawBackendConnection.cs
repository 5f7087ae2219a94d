using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>A plaintext upstream connection in the raw lane.</summary>
internal sealed class RawBackendConnection(RawSocket socket) : BackendConnection
{
    public override Stream Stream { get; } = new RawSocketStream(socket);

    public RawSocket Socket => socket;

    public override void Dispose() => socket.Dispose();
}
