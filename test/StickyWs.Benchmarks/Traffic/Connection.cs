using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// A connection of the load or of the backend, with or without TLS. Receiving calls answer as those of <see cref="Tcp"/> do, in bytes of plaintext. A
/// client's TLS handshake begins with its first message, which goes out when it is over.
/// </summary>
internal sealed class Connection(int socket, TlsSession? tls = null) : IDisposable
{
    // Less than any buffer for bulk here, also with a record that began before.
    private const int Chunk = 128 * 1024;

    [ThreadStatic]
    private static byte[]? _records;

    private ReadOnlyMemory<byte> _first;
    private ReadOnlyMemory<byte> _unread;
    private ReadOnlyMemory<byte> _unsent;

    public int Socket => socket;

    /// <summary>Its TLS, if it has any.</summary>
    public TlsSession? Tls => tls;

    /// <summary>Whether <see cref="TrySend"/> left something for <see cref="TryFlush"/>.</summary>
    public bool HasUnsent => !_unsent.IsEmpty;

    /// <summary>Sends everything.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (tls is { IsOpen: false })
        {
            _first = bytes.ToArray();
            Tcp.Send(socket, tls.Start());
            return;
        }

        Tcp.Send(socket, Sealed(bytes));
    }

    /// <summary>Sends what the kernel takes at once, and keeps the rest; false when the connection was reset.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes)
    {
        var records = Sealed(bytes);
        var sent = Tcp.TrySend(socket, records);
        if (sent == Tcp.Broken) return false;
        sent = Math.Max(sent, 0);
        if (sent < records.Length) _unsent = records[sent..].ToArray();
        return true;
    }

    /// <summary>Sends of the rest what the kernel takes at once; false when the connection was reset.</summary>
    public bool TryFlush()
    {
        var sent = Tcp.TrySend(socket, _unsent.Span);
        if (sent == Tcp.Broken) return false;
        _unsent = _unsent[Math.Max(sent, 0)..];
        return true;
    }

    /// <summary>Waits for some bytes. They may be none of the application's.</summary>
    public int Receive(Span<byte> bytes) => tls is null ? Tcp.Receive(socket, bytes) : ReceiveRecords(tls, bytes, Tcp.Receive);

    /// <summary>Takes what has arrived.</summary>
    public int TryReceive(Span<byte> bytes) => tls is null ? Tcp.TryReceive(socket, bytes) : ReceiveRecords(tls, bytes, Tcp.TryReceive);

    /// <summary>Takes what has arrived and throws it away.</summary>
    /// <param name="most">How much can be under way.</param>
    public int TryDiscard(int most) => tls is null ? Tcp.TryDiscard(socket, most) : OpenRecords(tls, Tcp.TryReceive, out _);

    /// <summary>Says that nothing more is sent; receiving goes on.</summary>
    public void EndSending()
    {
        SayEnd();
        Tcp.EndSending(socket);
    }

    public void Dispose()
    {
        SayEnd();
        tls?.Dispose();
        Tcp.Close(socket);
    }

    private ReadOnlySpan<byte> Sealed(ReadOnlySpan<byte> bytes) => tls is null ? bytes : tls.Seal(bytes);

    // Whoever has gone does not hear it.
    private void SayEnd()
    {
        if (tls is null || HasUnsent) return;
        var records = tls.Close();
        if (!records.IsEmpty) _ = Tcp.TrySend(socket, records);
    }

    private int ReceiveRecords(TlsSession session, Span<byte> bytes, Receiving receiving)
    {
        if (_unread.IsEmpty)
        {
            var count = OpenRecords(session, receiving, out var plain);
            if (count <= bytes.Length)
            {
                plain.CopyTo(bytes);
                return count;
            }

            _unread = plain.ToArray();
        }

        var taken = Math.Min(bytes.Length, _unread.Length);
        _unread.Span[..taken].CopyTo(bytes);
        _unread = _unread[taken..];
        return taken;
    }

    private int OpenRecords(TlsSession session, Receiving receiving, out ReadOnlySpan<byte> plain)
    {
        plain = [];
        _records ??= new byte[Chunk];
        var count = receiving(socket, _records);
        if (count <= 0) return count;
        plain = session.Receive(_records.AsSpan(0, count), out var toPeer);
        if (!toPeer.IsEmpty) Tcp.Send(socket, toPeer);
        if (session.IsOpen && !_first.IsEmpty)
        {
            Tcp.Send(socket, session.Seal(_first.Span));
            _first = default;
        }

        return plain.IsEmpty ? Tcp.NotYet : plain.Length;
    }

    private delegate int Receiving(int socket, Span<byte> bytes);
}
