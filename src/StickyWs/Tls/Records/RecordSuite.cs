using System.Net.Security;

namespace StickyWs.Tls;

/// <summary>The suites of TLS 1.3 that own records are sealed with.</summary>
internal enum RecordSuite : byte
{
    None,
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

internal static class RecordSuiteExtensions
{
    // Fetched once and never freed. Zero: the installed providers do not have it, and such connections keep their SSL object.
    private static readonly nint[] Ciphers = [
        0, OpenSsl.FetchCipher("AES-128-GCM\0"u8), OpenSsl.FetchCipher("AES-256-GCM\0"u8), OpenSsl.FetchCipher("ChaCha20-Poly1305\0"u8)];

    extension(RecordSuite suite)
    {
        public static RecordSuite Of(TlsCipherSuite agreed) => agreed switch
        {
            TlsCipherSuite.TLS_AES_128_GCM_SHA256 => RecordSuite.Aes128Gcm,
            TlsCipherSuite.TLS_AES_256_GCM_SHA384 => RecordSuite.Aes256Gcm,
            TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256 => RecordSuite.ChaCha20Poly1305,
            _ => RecordSuite.None,
        };

        /// <summary>The EVP_CIPHER, or zero.</summary>
        public nint Cipher => Ciphers[(int)suite];

        /// <summary>Bytes of a key.</summary>
        public int KeyLength => suite == RecordSuite.Aes128Gcm ? 16 : 32;

        /// <summary>Bytes of a traffic secret, which are those of the suite's hash.</summary>
        public int SecretLength => suite == RecordSuite.Aes256Gcm ? Hkdf.Sha384 : Hkdf.Sha256;
    }
}
