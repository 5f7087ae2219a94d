using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// A reference to an SSL_SESSION that a client may resume: a secret, and the server's certificates. Immutable once it is here. OpenSSL zeroes the secret
/// with the last reference.
/// </summary>
internal sealed class SessionHandle : SafeHandle
{
    public SessionHandle(nint session)
        : base(0, ownsHandle: true) => SetHandle(session);

    public override bool IsInvalid => handle == 0;

    /// <summary>Whether it may be resumed once only (RFC 8446, appendix C.4), so that nobody can tell connections of one client.</summary>
    public bool IsForOneUse => OpenSsl.SSL_SESSION_get_protocol_version(handle) == OpenSsl.TLS1_3_VERSION;

    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_SESSION_free(handle);
        return true;
    }
}
