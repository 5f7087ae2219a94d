using System.Net.Sockets;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>A plain-text connection to a backend, as the HTTP client sees it.</summary>
internal sealed class PlainBackendStream : AsyncStream, IWireLink
{
    private readonly Stream _inner;
    private readonly Stream _socket;
    private readonly BackendWire _wire;

    public PlainBackendStream(Stream inner, Stream socket, ConnectionAge age, KeptConnections? kept)
    {
        (_inner, _socket) = (inner, socket);
        _wire = new BackendWire(this, age, kept);
    }

    bool IWireLink.HasArrived => HasArrived(_socket);

    /// <summary>Whether the kernel holds data for either kind of backend connection.</summary>
    public static bool HasArrived(Stream connection)
    {
        try
        {
            return connection is ChannelStream channel
                ? channel.HasArrived
                : connection is NetworkStream { Socket: var socket } && socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _wire.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _wire.WriteAsync(buffer, cancellationToken);

    ValueTask<int> IWireLink.ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _inner.ReadAsync(buffer, cancellationToken);

    ValueTask IWireLink.SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _inner.WriteAsync(bytes, cancellationToken);

    void IWireLink.Close() => Dispose();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _wire.Dispose();
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
