using System.Runtime.InteropServices;
using StickyWs.Tls;

namespace StickyWs.Benchmarks.Native;

/// <summary>What a client asks of libssl to resume a session, by libssl's own names.</summary>
internal static partial class OpenSslSessions
{
    /// <summary>The session with the last ticket; the caller frees it.</summary>
    [LibraryImport(TlsLibrary.Name)]
    public static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(TlsLibrary.Name)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(TlsLibrary.Name)]
    public static partial void SSL_SESSION_free(nint session);
}
