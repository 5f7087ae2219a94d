using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>How OpenSSL is told a ticket's keys (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).</summary>
internal static unsafe class TicketCipher
{
    /// <summary>Bytes of AES-CBC's initialization vector.</summary>
    public const int IvLength = 16;

    private static readonly nint Aes = OpenSsl.FetchCipher("AES-256-CBC\0"u8);

    /// <summary>Has a context make and read its tickets with the keys of the connection's.</summary>
    public static void Register(nint context) => _ = OpenSsl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &OnTicket);

    /// <summary>Sets OpenSSL's two contexts up with a key.</summary>
    public static bool TryUse(TicketKey* key, byte* iv, nint cipher, nint mac, bool isToSeal)
    {
        fixed (byte* keyName = "key\0"u8, digestName = "digest\0"u8, digest = "SHA256\0"u8)
        {
            var parameters = stackalloc OpenSsl.Parameter[]
            {
                new() { Key = keyName, Type = OpenSsl.OSSL_PARAM_OCTET_STRING, Data = key->Mac, Size = TicketKey.KeyLength },
                new() { Key = digestName, Type = OpenSsl.OSSL_PARAM_UTF8_STRING, Data = digest, Size = 6 },
                default,
            };
            return Aes != 0 && OpenSsl.EVP_MAC_CTX_set_params(mac, parameters) == 1
                && OpenSsl.EVP_CipherInit_ex(cipher, Aes, 0, key->Cipher, iv, isToSeal ? 1 : 0) == 1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnTicket(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int isToSeal)
    {
        var work = Workspace.OfThread;
        try
        {
            if (work.End?.TicketKeys is not { } keys) return -1;
            if (isToSeal == 1) return keys.Seal(name, iv, cipher, mac);
            // OpenSSL's own keys do the same: a client uses a ticket of TLS 1.3 once (RFC 8446, appendix C.4), so each use must bring the next.
            var opened = keys.Open(name, iv, cipher, mac);
            return opened == TicketKeys.Opened && OpenSsl.SSL_version(ssl) == OpenSsl.TLS1_3_VERSION ? TicketKeys.OpenedToReplace : opened;
        }
#pragma warning disable CA1031 // An exception must not cross OpenSSL's frames; the caller looks at it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            return -1;
        }
    }
}
