using System.Net.Sockets;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tests.Tls;

/// <summary>
/// The peer of a connection under test, within TLS: a stream over a socket. One thread may read while another writes. A record that cannot be opened is no
/// broken connection, but a fault of whoever sent it.
/// </summary>
internal sealed class TlsEndStream(Socket socket, TlsEnd end) : AsyncStream
{
    private readonly NetworkStream _inner = new(socket, ownsSocket: true);
    private readonly byte[] _received = new byte[32 * 1024];
    private readonly Lock _calls = new();
    private byte[] _owed = [];
    private byte[] _plain = [];
    private int _taken;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_taken == _plain.Length)
        {
            if (end.Status == TlsStatus.PeerClosed) return 0;
            var received = await _inner.ReadAsync(_received, cancellationToken);
            if (received == 0) return 0;
            lock (_calls)
            {
                var step = end.Receive(_received.AsSpan(0, received));
                (_plain, _taken, _owed) = (step.Plain.ToArray(), 0, [.. _owed, .. step.ToPeer]);
            }

            if (end.Status == TlsStatus.Failed) throw new InvalidOperationException(end.FailureReason);
        }

        var count = Math.Min(buffer.Length, _plain.Length - _taken);
        _plain.AsMemory(_taken, count).CopyTo(buffer);
        _taken += count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        byte[] records;
        lock (_calls) (records, _owed) = ([.. _owed, .. end.Seal(buffer.Span)], []);
        await _inner.WriteAsync(records, cancellationToken);
    }

    /// <summary>The orderly end of this direction.</summary>
    public async Task FinishAsync()
    {
        byte[] records;
        lock (_calls) (records, _owed) = ([.. _owed, .. end.Close()], []);
        await _inner.WriteAsync(records);
        socket.Shutdown(SocketShutdown.Send);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inner.Dispose();
        base.Dispose(disposing);
    }
}
