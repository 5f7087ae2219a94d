using System.Runtime.InteropServices;

namespace StickyWs.Tests.Tls;

/// <summary>What tests make OpenSSL's client do, by libssl's own names.</summary>
internal static unsafe partial class NativeClient
{
    public const int SSL_KEY_UPDATE_NOT_REQUESTED = 0;
    public const int SSL_KEY_UPDATE_REQUESTED = 1;

    private const string Library = StickyWs.Tls.TlsLibrary.Name;

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(nint context, string list);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(nint context, string list);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_tlsext_max_fragment_length(nint context, byte mode);

    [LibraryImport(Library)]
    public static partial int SSL_key_update(nint ssl, int kind);

    [LibraryImport(Library)]
    public static partial int SSL_renegotiate(nint ssl);

    [LibraryImport(Library)]
    public static partial ulong SSL_clear_options(nint ssl, ulong options);

    [LibraryImport(Library)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Library)]
    public static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(Library)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Library)]
    public static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Library)]
    public static partial uint SSL_SESSION_get_max_early_data(nint session);

    /// <summary>At most this version: 0x0303 is TLS 1.2.</summary>
    public static void SetVersion(nint context, int version)
    {
        _ = StickyWs.Tls.OpenSsl.SSL_CTX_ctrl(context, StickyWs.Tls.OpenSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, version, null);
        _ = StickyWs.Tls.OpenSsl.SSL_CTX_ctrl(context, StickyWs.Tls.OpenSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, version, null);
    }
}
