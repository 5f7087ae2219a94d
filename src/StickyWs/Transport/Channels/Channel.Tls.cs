using System.Buffers;
using StickyWs.Kernel;
using StickyWs.Tls;

namespace StickyWs.Transport;

// TLS between the socket and the pipe: what arrives is decrypted on the reactor, what is sent is encrypted on the sender's thread.
internal sealed partial class Channel
{
    // Plain bytes that go out in one call: four records.
    private const int MostSealed = 64 * 1024;
    private const int RecordSize = 16 * 1024;

    // Replies for a client that takes none.
    private const int MostOwed = 64 * 1024;

    private readonly TlsEnd? _tls;

    // One call of the TLS end at a time, and records go out in the order in which they were sealed. Taken before the channel's own lock.
    private readonly Lock _sealing = new();
    private Backlog _owed;
    private bool _isSending;
    private bool _isTlsGone;

    // Returns whether there is something for the reader, and the peer may send more.
    private bool Open(ReadOnlySpan<byte> bytes)
    {
        string? failure;
        TlsStatus status;
        bool hasPlain;
        lock (_sealing)
        {
            if (_isTlsGone) return false;
            var step = _tls!.Receive(bytes);
            Writer.Write(step.Plain);
            (status, failure, hasPlain) = (step.Status, _tls.FailureReason, !step.Plain.IsEmpty);
            if (!step.ToPeer.IsEmpty) Reply(step.ToPeer);
            if (_owed.Length > MostOwed) (status, failure) = (TlsStatus.Failed, "the client takes no replies");
        }

        if (status == TlsStatus.Open) return hasPlain;
        if (!_isFull && hasPlain) Feed();
        if (status == TlsStatus.Failed) End(new IOException($"The TLS connection failed: {failure}"));
        else FinishTls();
        return false;
    }

    // A close_notify: what the peer sends after it does not count. It is an end of the input and not of the connection, as with the runtime's SslStream:
    // the owner is told when the FIN comes, and the answer to a request before it is sent.
    private void FinishTls()
    {
        _isFinished = true;
        if (_isFull) return;
        EndInput(null);
        _reactor.Resume(_socket);
    }

    // What the TLS end itself has to say goes out at once, or when there is room for it; at the latest before the next record.
    private void Reply(ReadOnlySpan<byte> bytes)
    {
        var isFirst = _owed.IsEmpty;
        _owed.Append(bytes);
        if (isFirst) SendOwed();
    }

    // Where a record is being sent, it goes before the next.
    private void SendOwed()
    {
        if (_isSending || _isTlsGone || _owed.IsEmpty) return;
        try
        {
            _owed.Take(TrySend(_owed.Bytes));
            if (!_owed.IsEmpty) AwaitRoom();
        }
        catch (IOException)
        {
            _owed = default; // Broken; whoever sends or receives next finds out.
        }
    }

    private ValueTask SealAndSendAsync(in ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        if (!bytes.IsSingleSegment) return SealAndSendSegmentsAsync(bytes, cancellationToken);
        var left = bytes.First;
        while (!left.IsEmpty)
        {
            var part = left[..Math.Min(left.Length, MostSealed)];
            left = left[part.Length..];
            var sending = SealAndSend(part.Span, cancellationToken);
            if (!sending.IsCompletedSuccessfully) return SealAndSendRestAsync(sending, left, cancellationToken);
        }

        return default;
    }

    private async ValueTask SealAndSendRestAsync(ValueTask sending, ReadOnlyMemory<byte> left, CancellationToken cancellationToken)
    {
        await sending.ConfigureAwait(false);
        await SealAndSendAsync(new ReadOnlySequence<byte>(left), cancellationToken).ConfigureAwait(false);
    }

    // Segments are gathered, so that a record is full.
    private async ValueTask SealAndSendSegmentsAsync(ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(RecordSize);
        try
        {
            while (!bytes.IsEmpty)
            {
                var part = bytes.Length > RecordSize ? bytes.Slice(0, RecordSize) : bytes;
                part.CopyTo(buffer);
                await SealAndSend(buffer.AsSpan(0, (int)part.Length), cancellationToken).ConfigureAwait(false);
                bytes = bytes.Slice(part.End);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ValueTask SealAndSend(ReadOnlySpan<byte> plain, CancellationToken cancellationToken)
    {
        byte[] rest;
        int length;
        lock (_sealing)
        {
            if (_isTlsGone) throw Closed();
            var records = Seal(plain);
            var left = _owed.IsEmpty ? records[PostOrSend(records)..] : records;
            if (left.IsEmpty) return default;
            var owed = _owed.Bytes;
            _owed = default;
            length = owed.Length + left.Length;
            rest = ArrayPool<byte>.Shared.Rent(length);
            owed.CopyTo(rest);
            left.CopyTo(rest.AsSpan(owed.Length));
            _isSending = true;
        }

        return SendSealedAsync(rest, length, cancellationToken);
    }

    private ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> plain)
    {
        if (_tls!.Status == TlsStatus.Failed) throw new IOException($"The TLS connection failed: {_tls.FailureReason}");
        var records = _tls.Seal(plain);
        return _tls.Status == TlsStatus.Failed ? throw new IOException($"The TLS connection failed: {_tls.FailureReason}") : records;
    }

    /// <summary>Sends the orderly end of our direction (RFC 8446 section 6.1), if there is TLS. Nothing can be sent afterwards.</summary>
    /// <exception cref="IOException">The connection broke, or was closed.</exception>
    public ValueTask FinishTlsAsync(CancellationToken cancellationToken)
    {
        if (_tls is null) return default;
        byte[] bytes;
        lock (_sealing)
        {
            if (_isTlsGone || _isSending) return default;
            bytes = [.. _owed.Bytes, .. _tls.Close()];
            _owed = default;
        }

        return SendRestAsync(new ReadOnlySequence<byte>(bytes), cancellationToken);
    }

    private async ValueTask SendSealedAsync(byte[] rest, int length, CancellationToken cancellationToken)
    {
        try
        {
            await SendRestAsync(new ReadOnlySequence<byte>(rest, 0, length), cancellationToken).ConfigureAwait(false);
            lock (_sealing)
            {
                _isSending = false; // Otherwise a record was cut: nothing may follow it.
                SendOwed();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rest);
        }
    }

    private void DisposeTls()
    {
        if (_tls is null) return;
        lock (_sealing)
        {
            _isTlsGone = true;
            _tls.Dispose();
        }
    }
}
