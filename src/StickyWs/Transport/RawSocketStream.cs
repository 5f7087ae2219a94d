namespace StickyWs.Transport;

/// <summary>A raw socket as a stream, for reading a response. Does not own the socket.</summary>
internal sealed class RawSocketStream(RawSocket socket) : AsyncStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => socket.ReceiveAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => socket.SendAsync(buffer, cancellationToken);
}
