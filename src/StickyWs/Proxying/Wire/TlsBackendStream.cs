using System.Net.Security;

namespace StickyWs.Proxying;

/// <summary>A TLS connection to a backend, as the HTTP client sees it; that accepts no other stream in place of an <see cref="SslStream"/>.</summary>
internal sealed class TlsBackendStream : SslStream, IWireLink
{
    private readonly Stream _socket;
    private readonly BackendWire _wire;

    public TlsBackendStream(Stream plain, Stream socket, ConnectionAge age, KeptConnections? kept)
        : base(plain)
        => (_socket, _wire) = (socket, new BackendWire(this, age, kept));

    // The pending bytes may be just a session ticket; then a usable connection is given up.
    bool IWireLink.HasArrived => PlainBackendStream.HasArrived(_socket);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _wire.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _wire.WriteAsync(buffer, cancellationToken);

    ValueTask<int> IWireLink.ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) => base.ReadAsync(buffer, cancellationToken);

    ValueTask IWireLink.SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => base.WriteAsync(bytes, cancellationToken);

    void IWireLink.Close() => Dispose();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _wire.Dispose();
        base.Dispose(disposing);
    }
}
