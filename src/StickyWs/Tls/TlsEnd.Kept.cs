using System.Buffers;

namespace StickyWs.Tls;

// Records of a connection that keeps its SSL object.
internal sealed unsafe partial class TlsEnd
{
    /// <summary>What may wait for the rest of a peer's message. With more, the peer is given up.</summary>
    public const int MostUnsealed = 256 * 1024;

    // Plaintext that OpenSSL does not seal yet: while a message after the handshake (a ticket, a KeyUpdate) is split over records and not whole, every
    // SSL_write wants to read.
    private ArrayBufferWriter<byte>? _unsealed;

    private void ReadKept(Workspace work, ReadOnlySpan<byte> record)
    {
        fixed (byte* start = record)
        {
            work.Feed(start, record.Length);
            work.End = this;
            while (true)
            {
                OpenSsl.ERR_clear_error();
                var result = OpenSsl.SSL_read(_ssl, work.Plain.Reserve(RecordLayer.MostContent), RecordLayer.MostContent);
                if (result > 0)
                {
                    work.Plain.Advance(result);
                    continue;
                }

                if (work.Fault is null && OpenSsl.SSL_get_error(_ssl, result) == OpenSsl.SSL_ERROR_ZERO_RETURN) Status = TlsStatus.PeerClosed;
                else if (!IsWaiting(work, result, record, out var reason)) Fail(reason);
                break;
            }

            work.End = null;
            work.Feed(null, 0);
        }

        if (_unsealed is null || Status == TlsStatus.Failed) return;
        var unsealed = _unsealed;
        _unsealed = null;
        SealKept(work, unsealed.WrittenSpan);
    }

    private void SealKept(Workspace work, ReadOnlySpan<byte> plain)
    {
        if (_unsealed is not null)
        {
            Await(plain);
            return;
        }

        fixed (byte* start = plain)
        {
            work.Feed(null, 0);
            // The BIO takes all, so that a write is only ever partial between records.
            for (var written = 0; written < plain.Length;)
            {
                OpenSsl.ERR_clear_error();
                var result = OpenSsl.SSL_write(_ssl, start + written, plain.Length - written);
                if (result <= 0)
                {
                    if (IsWaiting(work, result, [], out var reason)) Await(plain[written..]);
                    else Fail("SSL_write: " + reason);
                    return;
                }

                written += result;
            }
        }
    }

    private void Await(ReadOnlySpan<byte> plain)
    {
        _unsealed ??= new ArrayBufferWriter<byte>(plain.Length);
        if (_unsealed.WrittenCount + plain.Length <= MostUnsealed) _unsealed.Write(plain);
        else Fail($"The peer leaves a message unfinished, and {MostUnsealed} bytes wait for it.");
    }

    // close_notify says that all was sent before it.
    private void CloseKept(Workspace work)
    {
        if (_unsealed is not null)
        {
            Fail("The peer leaves a message unfinished, and data waits for it.");
            return;
        }

        work.Feed(null, 0);
        OpenSsl.ERR_clear_error();
        _ = OpenSsl.SSL_shutdown(_ssl); // 0 or 1; a refusal writes nothing.
        OpenSsl.ERR_clear_error();
    }
}
