using System.Security.Cryptography;

namespace StickyWs.Tls;

// A client's sessions: taken from one connection, resumed by another.
internal sealed unsafe partial class TlsEnd
{
    // Of a client whose context asks for it.
    private SessionTaker? Sessions => _handshaking as SessionTaker;

    /// <summary>Asks the server to resume a session. Before <see cref="Start"/>; the session stays the caller's.</summary>
    /// <exception cref="CryptographicException">OpenSSL refuses.</exception>
    public void Offer(SessionHandle session)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var isHeld = false;
        try
        {
            session.DangerousAddRef(ref isHeld);
            OpenSsl.ERR_clear_error();
            if (OpenSsl.SSL_set_session(_ssl, session.DangerousGetHandle()) != 1) throw new CryptographicException("SSL_set_session: " + OpenSsl.TakeErrors());
        }
        finally
        {
            if (isHeld) session.DangerousRelease();
        }
    }

    /// <summary>The sessions that came since the last call. Owned by the caller from here on.</summary>
    public SessionHandle[] TakeSessions() => Sessions?.TakeAll() ?? [];

    /// <summary>No more sessions are wanted: frees what is kept for their sake.</summary>
    public void ForgetSessions()
    {
        if (Sessions is not { } sessions) return;
        sessions.Dispose();
        _handshaking = null;
    }

    /// <summary>Called by OpenSSL, within <see cref="Receive"/>.</summary>
    /// <returns>Whether the reference was taken over.</returns>
    public bool TryTakeSession(nint session) => Sessions?.TryTake(session) == true;

    // What was opened is with the taker's SSL object only while that has seen all before it, under the same keys.
    private void ShowToOpenSsl(Workspace work, RecordType type, ReadOnlySpan<byte> record)
    {
        if (Sessions is not { } sessions) return;
        if (type != RecordType.Handshake || Status != TlsStatus.Open || _keys->Read.Sequence == 0)
        {
            sessions.StopListening();
            return;
        }

        work.End = this;
        sessions.Hear(work, record);
        work.End = null;
    }
}
