using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>TLS to a backend on a bare socket, for the handshakes of TLS and WebSocket. Owns the TLS end until that is taken, but not the socket.</summary>
internal sealed class RawTlsStream(RawSocket socket, TlsEnd end) : AsyncStream
{
    private const int ReceiveSize = 16 * 1024 + 512;

    // Records without data for the reader, as tickets are: after some of them, other connections get their turn.
    private const int MostInARow = 8;

    private readonly ArrayBufferWriter<byte> _plain = new(1024);
    private readonly ArrayBufferWriter<byte> _reply = new(1024);
    private SessionShelf? _sessions;
    private int _read;
    private bool _hasEnded;

    /// <summary>
    /// Does the TLS handshake, its steps aside while the reactor moves what others send. Ends on the reactor's thread. Does not judge the backend's
    /// certificates.
    /// </summary>
    /// <exception cref="AuthenticationException">It failed.</exception>
    /// <exception cref="IOException">The connection ended or broke.</exception>
    public async ValueTask<TlsFacts> HandshakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Before those with clients, of whom there may be many: the backend is blamed for what its handshake waits.
            if (!socket.Reactor.IsAtRest) await socket.Reactor.Aside.SwitchTo(isSooner: true);
            cancellationToken.ThrowIfCancellationRequested();
            _reply.Write(end.Start().ToPeer);
            await SendReplyAsync(cancellationToken).ConfigureAwait(false);
            while (end.Status == TlsStatus.Handshaking)
            {
                if (socket.Reactor is { IsCurrent: true, IsAtRest: false }) await socket.Reactor.Aside.SwitchTo(isSooner: true); // After a wait.
                cancellationToken.ThrowIfCancellationRequested();
                if (TryReceive() is >= 0 and var received) await TakeAsync(received, cancellationToken).ConfigureAwait(false);
                else await socket.WaitReadableAsync(cancellationToken).ConfigureAwait(false);
                if (_hasEnded) throw new IOException("The backend closed the connection during the TLS handshake.");
            }
        }
        finally
        {
            await socket.Reactor.SwitchTo();
        }

        return end.Status == TlsStatus.Failed
            ? throw new AuthenticationException(end.FailureReason, new CryptographicException(end.FailureReason))
            : end.TakeFacts()!;
    }

    /// <summary>Keeps the sessions that the backend lets us resume, until the end is taken. After its certificates were judged.</summary>
    public void KeepSessions(SessionShelf sessions)
    {
        _sessions = sessions;
        sessions.Keep(end);
    }

    /// <summary>Gives the connection up, and tells the backend why if it can.</summary>
    public void Refuse(TlsAlert alert, string reason) => socket.SendLast(end.Refuse(alert, reason));

    /// <summary>Hands the TLS end over, with what has arrived and was not read.</summary>
    public TlsStart Take()
    {
        end.ForgetSessions();
        return TakeWith(out _);
    }

    /// <summary>The same, with the shelf of what may still come.</summary>
    public TlsStart TakeWith(out SessionShelf? sessions)
    {
        sessions = _sessions;
        return new TlsStart(end, _plain.WrittenMemory[_read..]);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var receives = 0; _read == _plain.WrittenCount; receives++)
        {
            if (end.Status == TlsStatus.Failed) throw Failed();
            if (_hasEnded && end.HoldsPart) throw new IOException("The backend closed the connection within a TLS record.");
            if (_hasEnded || end.Status == TlsStatus.PeerClosed) return 0;
            if (receives % MostInARow == MostInARow - 1) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            cancellationToken.ThrowIfCancellationRequested();
            await ReceiveAsync(cancellationToken).ConfigureAwait(false);
        }

        var length = Math.Min(buffer.Length, _plain.WrittenCount - _read);
        _plain.WrittenMemory.Slice(_read, length).CopyTo(buffer);
        _read += length;
        if (_read == _plain.WrittenCount)
        {
            _plain.ResetWrittenCount();
            _read = 0;
        }

        return length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (end.Status == TlsStatus.Failed) throw Failed();
        var records = end.Seal(buffer.Span);
        if (end.Status == TlsStatus.Failed) throw Failed();
        var sent = socket.TrySend(records);
        return sent == records.Length ? default : socket.SendAsync(records[sent..].ToArray(), cancellationToken);
    }

    /// <summary>Says close_notify, and zeroes the secrets; not after the end was taken and disposed of.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            socket.SendLast(end.Close());
            end.Dispose();
        }

        base.Dispose(disposing);
    }

    private IOException Failed() => new($"The TLS connection failed: {end.FailureReason}");

    // Waits for something and takes it.
    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        int received;
        while ((received = TryReceive()) < 0) await socket.WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        await TakeAsync(received, cancellationToken).ConfigureAwait(false);
    }

    // What a receive has led to.
    private ValueTask TakeAsync(int received, CancellationToken cancellationToken)
    {
        _hasEnded = received == 0;
        _sessions?.Keep(end);
        if (end.Status != TlsStatus.Failed) return SendReplyAsync(cancellationToken);
        socket.SendLast(_reply.WrittenSpan);
        _reply.ResetWrittenCount();
        return default;
    }

    private ValueTask SendReplyAsync(CancellationToken cancellationToken)
    {
        if (_reply.WrittenCount == 0) return default;
        var sent = socket.TrySend(_reply.WrittenSpan);
        var rest = sent == _reply.WrittenCount ? null : _reply.WrittenSpan[sent..].ToArray();
        _reply.ResetWrittenCount();
        return rest is null ? default : socket.SendAsync(rest, cancellationToken);
    }

    private int TryReceive()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveSize);
        try
        {
            var received = socket.TryReceive(buffer);
            if (received > 0)
            {
                var step = end.Receive(buffer.AsSpan(0, received));
                _plain.Write(step.Plain);
                _reply.Write(step.ToPeer);
            }

            return received;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
