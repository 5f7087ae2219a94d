using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>One connection at the backend: heads first, then an echo or a push once a handshake has been answered.</summary>
internal sealed class BackendConnection(int socket, Epoll epoll)
{
    private enum Mode
    {
        Http,
        Echo,
        Push,
    }

    private Mode _mode;
    private byte[] _head = [];
    private ArraySegment<byte> _unsent = [];
    private long _pushed;

    /// <summary>Does what can be done at once; false when the connection has ended. The buffer is anybody's between two calls.</summary>
    public bool TryAdvance(byte[] buffer) => _mode switch
    {
        Mode.Http => TryReadHead(buffer),
        Mode.Echo => TryEcho(buffer),
        _ => TryPush(),
    };

    private bool TryReadHead(byte[] buffer)
    {
        var count = Tcp.TryReceive(socket, buffer);
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
        Tcp.Send(socket, key.IsEmpty ? Messages.HttpAnswer : HandshakeAnswer.To(key));
        if (key.IsEmpty) return;
        _mode = head.StartsWith("GET /push "u8) ? Mode.Push : Mode.Echo;
        if (_mode == Mode.Push) epoll.Change(socket, Epoll.Writable, socket);
    }

    private bool TryEcho(byte[] buffer)
    {
        if (_unsent.Count > 0) return TrySendRest();
        var count = Tcp.TryReceive(socket, buffer);
        if (count <= 0) return count == Tcp.NotYet;
        var sent = Tcp.TrySend(socket, buffer.AsSpan(0, count));
        if (sent == Tcp.Broken) return false;
        sent = Math.Max(sent, 0);
        if (sent == count) return true;
        _unsent = buffer[sent..count];
        epoll.Change(socket, Epoll.Writable, socket);
        return true;
    }

    private bool TrySendRest()
    {
        var sent = Tcp.TrySend(socket, _unsent);
        if (sent == Tcp.Broken) return false;
        _unsent = _unsent[Math.Max(sent, 0)..];
        if (_unsent.Count == 0) epoll.Change(socket, Epoll.Readable, socket);
        return true;
    }

    // A frame is sent in pieces as the peer takes them; at the limit the tunnel stays open and says nothing.
    private bool TryPush()
    {
        if (_unsent.Count == 0) _unsent = Messages.Pushed;
        var sent = Tcp.TrySend(socket, _unsent);
        if (sent == Tcp.Broken) return false;
        _unsent = _unsent[Math.Max(sent, 0)..];
        _pushed += Math.Max(sent, 0);
        if (_pushed >= Messages.PushLimit) epoll.Change(socket, 0, socket);
        return true;
    }
}
