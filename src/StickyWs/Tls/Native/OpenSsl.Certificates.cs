using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>What is used of libssl and libcrypto to choose a context by the ClientHello, and to judge a client's certificate.</summary>
internal static unsafe partial class OpenSsl
{
    public const int SSL_CLIENT_HELLO_SUCCESS = 1;
    public const int SSL_CLIENT_HELLO_ERROR = 0;
    public const uint TLSEXT_TYPE_server_name = 0;

    public const int SSL_VERIFY_NONE = 0;
    public const int SSL_VERIFY_PEER = 1;
    public const int SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

    public const int X509_V_ERR_APPLICATION_VERIFICATION = 50;

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_client_hello_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, int*, void*, int> callback, void* argument);

    /// <summary>Within the callback only. 1 if the ClientHello has the extension.</summary>
    [LibraryImport(Library)]
    public static partial int SSL_client_hello_get0_ext(nint ssl, uint type, byte** content, nuint* length);

    [LibraryImport(Library)]
    public static partial nint SSL_ctrl(nint ssl, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial ulong SSL_set_options(nint ssl, ulong options);

    [LibraryImport(Library)]
    public static partial int SSL_set_num_tickets(nint ssl, nuint count);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport(Library)]
    public static partial void SSL_set_verify(nint ssl, int mode, nint callback);

    /// <summary>Replaces the whole verification of a chain; 1 accepts it.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_cert_verify_callback(nint context, delegate* unmanaged[Cdecl]<nint, void*, int> callback, void* argument);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get0_cert(nint store);

    /// <summary>All certificates that the peer has sent, its own first.</summary>
    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get0_untrusted(nint store);

    [LibraryImport(Library)]
    public static partial void X509_STORE_CTX_set_error(nint store, int error);

    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);
}
