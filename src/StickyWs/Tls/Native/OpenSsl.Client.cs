using System.Runtime.InteropServices;

namespace StickyWs.Tls;

// What a client needs.
internal static unsafe partial class OpenSsl
{
    public const uint X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 0x4;

    public const nint SSL_SESS_CACHE_CLIENT = 0x1;
    public const nint SSL_SESS_CACHE_NO_AUTO_CLEAR = 0x80;
    public const nint SSL_SESS_CACHE_NO_INTERNAL = 0x300;

    /// <summary>Length-prefixed names (RFC 7301, section 3.1).</summary>
    /// <returns>0 for success, unlike the others.</returns>
    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_alpn_protos(nint context, byte* protocols, uint length);

    /// <summary>The certificates that a server sent, its own first; zero if none. The SSL object owns them.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get_peer_cert_chain(nint ssl);

    /// <summary>DER. Without an output it returns the length; with one it writes, and moves the pointer.</summary>
    [LibraryImport(Library)]
    public static partial int i2d_X509(nint x509, byte** output);

    [LibraryImport(Library)]
    public static partial int X509_check_host(nint x509, byte* name, nuint length, uint flags, byte** peerName);

    /// <summary>Called with a reference to a session; 1 keeps it.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_CTX_sess_set_new_cb(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback);

    /// <summary>Takes a reference of its own.</summary>
    [LibraryImport(Library)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Library)]
    public static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_SESSION_is_resumable(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_SESSION_get_protocol_version(nint session);
}
