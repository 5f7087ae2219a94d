using System.Security.Authentication;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// Versions and cipher suites as SslStream chooses them on this machine: what openssl.cnf says, or else the runtime's list for TLS 1.2, by the
/// server's preference (dotnet/runtime, pal_ssl.c). Nothing below TLS 1.2, no compression, no renegotiation.
/// </summary>
internal static unsafe class CipherPolicy
{
    private static ReadOnlySpan<byte> RuntimeList =>
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"u8
        + "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256\0"u8;

    private static readonly Lazy<bool> IsConfigured = new(HasConfiguredList);

    /// <exception cref="CryptographicException">libssl refuses.</exception>
    /// <exception cref="TlsUnavailableException">Other versions than TLS 1.2 and 1.3 are wanted.</exception>
    public static void Apply(nint context, SslProtocols protocols)
    {
        _ = OpenSsl.SSL_CTX_set_options(context,
            OpenSsl.SSL_OP_NO_COMPRESSION | OpenSsl.SSL_OP_CIPHER_SERVER_PREFERENCE | OpenSsl.SSL_OP_NO_RENEGOTIATION);
        if (!IsConfigured.Value && !SetList(context, RuntimeList)) throw new CryptographicException("Cipher suites: " + OpenSsl.TakeErrors());
        SetVersions(context, protocols);
    }

    private static void SetVersions(nint context, SslProtocols protocols)
    {
        if ((protocols & ~(SslProtocols.Tls12 | SslProtocols.Tls13)) != 0)
        {
            throw new TlsUnavailableException($"{protocols} has other versions than TLS 1.2 and 1.3");
        }

        var least = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_GET_MIN_PROTO_VERSION, 0, null);
        if (protocols != SslProtocols.None || least < OpenSsl.TLS1_2_VERSION) Set(OpenSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, OpenSsl.TLS1_2_VERSION);
        if (protocols == SslProtocols.None) return;
        // What was asked for by name overrides openssl.cnf.
        Set(OpenSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, 0);
        if (!protocols.HasFlag(SslProtocols.Tls12)) _ = OpenSsl.SSL_CTX_set_options(context, OpenSsl.SSL_OP_NO_TLSv1_2);
        if (!protocols.HasFlag(SslProtocols.Tls13)) _ = OpenSsl.SSL_CTX_set_options(context, OpenSsl.SSL_OP_NO_TLSv1_3);

        void Set(int command, int version)
        {
            if (OpenSsl.SSL_CTX_ctrl(context, command, version, null) != 1) throw new CryptographicException("TLS versions: " + OpenSsl.TakeErrors());
        }
    }

    /// <summary>The versions that were asked for by name, for one connection.</summary>
    /// <exception cref="CryptographicException">libssl refuses.</exception>
    public static void Restrict(nint ssl, SslProtocols protocols)
    {
        if (protocols == SslProtocols.None) return;
        var isSet = OpenSsl.SSL_ctrl(ssl, OpenSsl.SSL_CTRL_SET_MIN_PROTO_VERSION, OpenSsl.TLS1_2_VERSION, null) == 1
            && OpenSsl.SSL_ctrl(ssl, OpenSsl.SSL_CTRL_SET_MAX_PROTO_VERSION, 0, null) == 1;
        if (!isSet) throw new CryptographicException("TLS versions: " + OpenSsl.TakeErrors());
        if (!protocols.HasFlag(SslProtocols.Tls12)) _ = OpenSsl.SSL_set_options(ssl, OpenSsl.SSL_OP_NO_TLSv1_2);
        if (!protocols.HasFlag(SslProtocols.Tls13)) _ = OpenSsl.SSL_set_options(ssl, OpenSsl.SSL_OP_NO_TLSv1_3);
    }

    // A list of openssl.cnf shows when it is applied over another one: the number of suites changes.
    private static bool HasConfiguredList()
    {
        OpenSsl.ERR_clear_error();
        var context = OpenSsl.SSL_CTX_new(OpenSsl.TLS_server_method());
        if (context == 0) return false;
        try
        {
            var initially = Count(context);
            if (!SetList(context, "ALL\0"u8) || (Count(context) == initially && !SetList(context, "RSA\0"u8))) return false;
            var before = Count(context);
            fixed (byte* section = "system_default\0"u8)
            {
                return before != initially && OpenSsl.SSL_CTX_config(context, section) == 1 && Count(context) != before;
            }
        }
        finally
        {
            OpenSsl.SSL_CTX_free(context);
            OpenSsl.ERR_clear_error();
        }
    }

    private static int Count(nint context) => OpenSsl.OPENSSL_sk_num(OpenSsl.SSL_CTX_get_ciphers(context));

    private static bool SetList(nint context, ReadOnlySpan<byte> list)
    {
        fixed (byte* start = list) return OpenSsl.SSL_CTX_set_cipher_list(context, start) == 1;
    }
}
