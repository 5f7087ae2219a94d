namespace StickyWs.Tls;

/// <summary>
/// What a client's end has taken of its server's sessions. With own records, the SSL object of the handshake lives on in here and is shown the records
/// with session tickets, as only it knows the secret that they go with. It is freed with the first other record, or when enough sessions are there.
/// </summary>
internal sealed unsafe class SessionTaker : IDisposable
{
    // As many as servers usually send, twice.
    private const int Most = 4;

    private readonly List<SessionHandle> _taken = [];
    private nint _ssl;

    /// <summary>Called by OpenSSL.</summary>
    /// <returns>Whether the reference was taken over.</returns>
    public bool TryTake(nint session)
    {
        if (_taken.Count == Most || OpenSsl.SSL_SESSION_is_resumable(session) != 1) return false;
        _taken.Add(new SessionHandle(session));
        return true;
    }

    /// <summary>Owned by the caller from here on.</summary>
    public SessionHandle[] TakeAll()
    {
        SessionHandle[] all = [.. _taken];
        _taken.Clear();
        return all;
    }

    /// <summary>Takes the SSL object over, whose handshake is done.</summary>
    public void Listen(nint ssl) => _ssl = ssl;

    /// <summary>Shows OpenSSL a record, which must be the next one that it has not seen, of handshake messages, and authentic.</summary>
    public void Hear(Workspace work, ReadOnlySpan<byte> record)
    {
        if (_ssl == 0) return;
        var written = work.ToPeer.Length;
        fixed (byte* start = record)
        {
            work.Feed(start, record.Length);
            OpenSsl.ERR_clear_error();
            var result = OpenSsl.SSL_read(_ssl, work.Plain.Reserve(RecordLayer.MostContent), RecordLayer.MostContent);
            var isInStep = result <= 0 && work.Fault is null && work.InputLength == 0 && OpenSsl.SSL_get_error(_ssl, result) == OpenSsl.SSL_ERROR_WANT_READ;
            work.Feed(null, 0);
            // What it writes has the keys of a record layer that is not in use.
            if (work.ToPeer.Length > written) work.ToPeer.Truncate(written);
            if (!isInStep || _taken.Count == Most) StopListening();
        }
    }

    /// <summary>Frees the SSL object, if there is one.</summary>
    public void StopListening()
    {
        if (_ssl == 0) return;
        OpenSsl.SSL_set_shutdown(_ssl, OpenSsl.SSL_SENT_SHUTDOWN | OpenSsl.SSL_RECEIVED_SHUTDOWN);
        OpenSsl.SSL_free(_ssl);
        OpenSsl.ERR_clear_error();
        _ssl = 0;
    }

    public void Dispose()
    {
        StopListening();
        foreach (var session in TakeAll()) session.Dispose();
    }
}
