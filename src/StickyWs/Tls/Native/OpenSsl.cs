using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// What is used of libssl 3.x, by its own names (man pages, section 3). All parameters are blittable. <see cref="TlsLibrary"/> resolves the name, and
/// must be asked before any of these is called. Callers clear the thread's error queue first: the runtime's own calls share it.
/// </summary>
internal static unsafe partial class OpenSsl
{
    public const int SSL_ERROR_WANT_READ = 2;
    public const int SSL_ERROR_ZERO_RETURN = 6;

    public const int SSL_SENT_SHUTDOWN = 1;
    public const int SSL_RECEIVED_SHUTDOWN = 2;

    public const int SSL_TLSEXT_ERR_OK = 0;
    public const int SSL_TLSEXT_ERR_ALERT_FATAL = 2;
    public const int SSL_TLSEXT_ERR_NOACK = 3;
    public const int TLSEXT_NAMETYPE_host_name = 0;

    public const int SSL_CTRL_MODE = 33;
    public const int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    public const int SSL_CTRL_SET_TLSEXT_SERVERNAME_CB = 53;
    public const int SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
    public const int SSL_CTRL_CHAIN_CERT = 89;
    public const int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    public const int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
    public const int SSL_CTRL_GET_MIN_PROTO_VERSION = 130;

    public const nint SSL_MODE_ENABLE_PARTIAL_WRITE = 0x1;
    public const nint SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 0x2;
    public const nint SSL_MODE_NO_AUTO_CHAIN = 8;
    public const nint SSL_MODE_RELEASE_BUFFERS = 0x10;

    public const ulong SSL_OP_NO_TICKET = 1ul << 14;
    public const ulong SSL_OP_NO_COMPRESSION = 1ul << 17;
    public const ulong SSL_OP_CIPHER_SERVER_PREFERENCE = 1ul << 22;
    public const ulong SSL_OP_NO_TLSv1_2 = 1ul << 27;
    public const ulong SSL_OP_NO_TLSv1_3 = 1ul << 29;
    public const ulong SSL_OP_NO_RENEGOTIATION = 1ul << 30;

    public const int TLS1_2_VERSION = 0x0303;
    public const int TLS1_3_VERSION = 0x0304;

    private const string Library = TlsLibrary.Name;

    [LibraryImport(Library)]
    public static partial nint TLS_server_method();

    [LibraryImport(Library)]
    public static partial nint TLS_client_method();

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_new(nint method);

    /// <param name="library">Zero is the process's.</param>
    /// <param name="properties">Which providers to ask (property(7)), zero-terminated.</param>
    /// <param name="method">The method.</param>
    [LibraryImport(Library)]
    public static partial nint SSL_CTX_new_ex(nint library, byte* properties, nint method);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_ctrl(nint context, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_callback_ctrl(nint context, int command, void* callback);

    [LibraryImport(Library)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_use_certificate(nint context, nint x509);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_use_PrivateKey(nint context, nint key);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_num_tickets(nint context, nuint count);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint, nint, int, int> callback);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_session_id_context(nint context, byte* id, uint length);

    /// <param name="context">The SSL_CTX.</param>
    /// <param name="list">TLS 1.2 and below, zero-terminated.</param>
    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_cipher_list(nint context, byte* list);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_get_ciphers(nint context);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_config(nint context, byte* section);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_keylog_callback(nint context, delegate* unmanaged[Cdecl]<nint, byte*, void> callback);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_alpn_select_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, void*, int> callback, void* argument);

    [LibraryImport(Library)]
    public static partial nint SSL_set_SSL_CTX(nint ssl, nint context);

    [LibraryImport(Library)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(Library)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Library)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Library)]
    public static partial void SSL_set_connect_state(nint ssl);

    /// <summary>Takes over the caller's references: one if both are the same BIO.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_set_bio(nint ssl, nint read, nint write);

    [LibraryImport(Library)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Library)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Library)]
    public static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(Library)]
    public static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport(Library)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Library)]
    public static partial void SSL_set_shutdown(nint ssl, int mode);

    [LibraryImport(Library)]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Library)]
    public static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport(Library)]
    public static partial ushort SSL_CIPHER_get_protocol_id(nint cipher);

    [LibraryImport(Library)]
    public static partial int SSL_has_pending(nint ssl);

    [LibraryImport(Library)]
    public static partial nint SSL_get_session(nint ssl);

    [LibraryImport(Library)]
    public static partial byte SSL_SESSION_get_max_fragment_length(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Library)]
    public static partial byte* SSL_get_servername(nint ssl, int type);

    [LibraryImport(Library)]
    public static partial void SSL_get0_alpn_selected(nint ssl, byte** name, uint* length);
}
