namespace StickyWs.Tls;

// Records of a connection that keeps its SSL object.
internal sealed unsafe partial class TlsEnd
{
    private void ReadKept(Workspace work, ReadOnlySpan<byte> record)
    {
        fixed (byte* start = record)
        {
            work.Feed(start, record.Length);
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

            work.Feed(null, 0);
        }
    }

    private void SealKept(Workspace work, ReadOnlySpan<byte> plain)
    {
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
                    Fail("SSL_write: " + (work.Fault?.Message ?? OpenSsl.TakeErrors()));
                    return;
                }

                written += result;
            }
        }
    }

    private void CloseKept(Workspace work)
    {
        work.Feed(null, 0);
        OpenSsl.ERR_clear_error();
        _ = OpenSsl.SSL_shutdown(_ssl); // 0 or 1; a refusal writes nothing.
        OpenSsl.ERR_clear_error();
    }
}
