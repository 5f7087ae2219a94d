using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>One connection at the backend: heads first, then an echo or a push once a handshake has been answered.</summary>
internal sealed class BackendConnection(Connection connection, Epoll epoll, HandshakeGate gate) : IDisposable
{
    private enum Mode
    {
        Http,
        Body,
        Waiting,
        Echo,
        Push,
        Talk,
        Sink,
        Ended,
    }

    private Mode _mode;
    private byte[] _head = [];
    private readonly EchoFrames _echo = new();
    private FrameReader? _frames;
    private long _pushed;
    private Exchange? _exchange;
    private int _missing;

    /// <summary>Does what can be done at once; false when the connection has ended. The buffer is anybody's between two calls.</summary>
    public bool TryAdvance(byte[] buffer) => _mode switch
    {
        Mode.Http => connection.HasUnsent ? TrySendRest() : TryReadHead(buffer),
        Mode.Body => TryReadBody(buffer),
        Mode.Echo => TryEcho(buffer),
        Mode.Push => TryPush(),
        Mode.Talk => TryTalk(buffer),
        Mode.Sink => connection.TryDiscard(buffer.Length) is > 0 or Tcp.NotYet,
        _ => IsOpen(buffer),
    };

    /// <summary>Answers a handshake that had to wait; false when the connection has ended.</summary>
    public bool TryAnswer()
    {
        if (_mode != Mode.Waiting) return false;
        Open(_head);
        _head = [];
        return true;
    }

    public void Dispose()
    {
        if (_mode == Mode.Waiting) gate.Leave();
        _mode = Mode.Ended;
        connection.Dispose();
    }

    private bool TryReadHead(byte[] buffer)
    {
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        ReadOnlySpan<byte> head = buffer.AsSpan(0, count);
        if (_head.Length > 0) head = _head = [.. _head, .. head];
        if (head.IndexOf("\r\n\r\n"u8) is >= 0 and var end && Exchange.Of(head) is { Sent: > 0 } upload)
        {
            (_exchange, _missing, _mode, _head) = (upload, upload.Sent - (head.Length - end - 4), Mode.Body, []);
            return _missing > 0 || TryAnswerBody();
        }

        if (!head.EndsWith("\r\n\r\n"u8))
        {
            _head = head.ToArray();
            return true;
        }

        var isHandshake = !HandshakeAnswer.Key(head).IsEmpty;
        if (isHandshake && gate.IsSlow)
        {
            (_head, _mode) = (head.ToArray(), Mode.Waiting);
            gate.Enter(this);
            return true;
        }

        if (isHandshake) Open(head);
        else if (!TrySend(Exchange.Of(head).Answer)) return false;
        _head = [];
        return true;
    }

    private bool TryReadBody(byte[] buffer)
    {
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        _missing -= count;
        return _missing > 0 || TryAnswerBody();
    }

    private bool TryAnswerBody()
    {
        _mode = Mode.Http;
        return TrySend(_exchange!.Answer);
    }

    private void Open(ReadOnlySpan<byte> head)
    {
        _ = connection.TrySend(HandshakeAnswer.To(HandshakeAnswer.Key(head))); // Whoever has waited may have gone.
        _mode = head.StartsWith("GET /push "u8) ? Mode.Push
            : head.StartsWith("GET /talk "u8) ? Mode.Talk
            : head.StartsWith("GET /sink "u8) ? Mode.Sink : Mode.Echo;
        if (_mode == Mode.Push) epoll.Change(connection.Socket, Epoll.Writable, connection.Socket);
        if (_mode == Mode.Talk) _frames = new FrameReader();
    }

    // Nothing is expected; what comes anyway is dropped.
    private bool IsOpen(byte[] buffer) => connection.TryReceive(buffer) is > 0 or Tcp.NotYet;

    // Answers each message with the same, and a Close with a Close and a FIN (RFC 6455 section 7.1.1: the server closes first).
    private bool TryTalk(byte[] buffer)
    {
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        var isReset = false;
        _frames!.Read(buffer.AsSpan(0, count), (opcode, payload) =>
        {
            isReset |= !connection.TrySend(FrameReader.FromServer(opcode, payload));
            if (opcode != FrameReader.Close) return;
            connection.EndSending();
            _mode = Mode.Ended;
        });
        return !isReset;
    }

    private bool TryEcho(byte[] buffer)
    {
        if (connection.HasUnsent) return TrySendRest();
        var count = connection.TryReceive(buffer);
        if (count <= 0) return count == Tcp.NotYet;
        _echo.Turn(buffer.AsSpan(0, count));
        return TrySend(buffer.AsSpan(0, count));
    }

    private bool TrySend(ReadOnlySpan<byte> bytes)
    {
        if (!connection.TrySend(bytes)) return false;
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
