using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>One connection at the backend: heads first, then an echo or a push once a handshake has been answered.</summary>
internal sealed class BackendConnection(Connection connection, Epoll epoll) : IDisposable
{
    private enum Mode
    {
        Http,
        Echo,
        Push,
    }

    private Mode _mode;
    private byte[] _head = [];
    private long _pushed;

    /// <summary>Does what can be done at once; false when the connection has ended. The buffer is anybody's between two calls.</summary>
    public bool TryAdvance(byte[] buffer) => _mode switch
    {
        Mode.Http => TryReadHead(buffer),
        Mode.Echo => TryEcho(buffer),
        _ => TryPush(),
    };

    public void Dispose() => connection.Dispose();

    private bool TryReadHead(byte[] buffer)
    {
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        ReadOnlySpan<byte> head = buffer.AsSpan(0, count);
        if (_head.Length > 0) head = _head = [.. _head, .. head];
        if (!head.EndsWith("\r\n\r\n"u8))
        {
            _head = head.ToArray();
            return true;
        }

        Answer(head);
        _head = [];
        return true;
    }

    private void Answer(ReadOnlySpan<byte> head)
    {
        var key = HandshakeAnswer.Key(head);
        connection.Send(key.IsEmpty ? Messages.HttpAnswer : HandshakeAnswer.To(key));
        if (key.IsEmpty) return;
        _mode = head.StartsWith("GET /push "u8) ? Mode.Push : Mode.Echo;
        if (_mode == Mode.Push) epoll.Change(connection.Socket, Epoll.Writable, connection.Socket);
    }

    private bool TryEcho(byte[] buffer)
    {
        if (connection.HasUnsent) return TrySendRest();
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        if (!connection.TrySend(buffer.AsSpan(0, count))) return false;
        if (connection.HasUnsent) epoll.Change(connection.Socket, Epoll.Writable, connection.Socket);
        return true;
    }

    private bool TrySendRest()
    {
        if (!connection.TryFlush()) return false;
        if (!connection.HasUnsent) epoll.Change(connection.Socket, Epoll.Readable, connection.Socket);
        return true;
    }

    // A frame is sent in pieces as the peer takes them; at the limit the tunnel stays open and says nothing.
    private bool TryPush()
    {
        if (!(connection.HasUnsent ? connection.TryFlush() : connection.TrySend(Messages.Pushed))) return false;
        if (!connection.HasUnsent) _pushed += Messages.Pushed.Length;
        if (_pushed >= Messages.PushLimit) epoll.Change(connection.Socket, 0, connection.Socket);
        return true;
    }
}
