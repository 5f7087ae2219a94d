using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>
/// The client's side of a connection in memory, whose other end is a <see cref="TlsEnd"/>. All of it runs on the caller's thread: what the client
/// writes is delivered when it next reads, so that flights arrive in one piece, or in pieces of <paramref name="piece"/> bytes.
/// </summary>
internal sealed class ServerStream(TlsEnd server, int piece = int.MaxValue) : Stream
{
    private readonly Queue<byte> _toClient = new();
    private readonly List<byte> _toServer = [];
    private readonly List<byte> _received = [];

    /// <summary>Everything that the client wrote, as it was.</summary>
    public List<byte> Written { get; } = [];

    /// <summary>Everything that the server sent, as it was.</summary>
    public List<byte> Sent { get; } = [];

    /// <summary>The application data that the server received.</summary>
    public byte[] Received => [.. _received];

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What the server sends.</summary>
    public void Send(ReadOnlySpan<byte> records)
    {
        Sent.AddRange(records);
        foreach (var each in records) _toClient.Enqueue(each);
    }

    /// <summary>Delivers what the client wrote.</summary>
    public void Deliver()
    {
        byte[] bytes = [.. _toServer];
        _toServer.Clear();
        for (var start = 0; start < bytes.Length;)
        {
            var length = Math.Min(piece, bytes.Length - start);
            var step = server.Receive(bytes.AsSpan(start, length));
            _received.AddRange(step.Plain);
            Send(step.ToPeer);
            start += length;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _toServer.AddRange(buffer);
        Written.AddRange(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <returns>0, an end of the connection, where the server has nothing to say.</returns>
    public override int Read(Span<byte> buffer)
    {
        if (_toClient.Count == 0) Deliver();
        var length = Math.Min(Math.Min(piece, buffer.Length), _toClient.Count);
        for (var i = 0; i < length; i++) buffer[i] = _toClient.Dequeue();
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
