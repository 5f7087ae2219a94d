using System.Runtime.InteropServices;
using System.Text;

namespace StickyWs.Tls;

/// <summary>What is used of libcrypto: libssl depends on it, so that a look-up in libssl's handle finds it.</summary>
internal static unsafe partial class OpenSsl
{
    public const int BIO_CTRL_FLUSH = 11;
    public const int BIO_FLAGS_READ = 1;
    public const int BIO_FLAGS_SHOULD_RETRY = 8;
    public const int BIO_TYPE_SOURCE_SINK = 0x0400;

    public const uint OSSL_PARAM_INTEGER = 1;
    public const uint OSSL_PARAM_UTF8_STRING = 4;
    public const uint OSSL_PARAM_OCTET_STRING = 5;

    public const int EVP_CTRL_AEAD_GET_TAG = 0x10;
    public const int EVP_CTRL_AEAD_SET_TAG = 0x11;

    public const int OSSL_OP_KDF = 4;
    public const int OSSL_FUNC_PROVIDER_QUERY_OPERATION = 1027;
    public const int OSSL_FUNC_KDF_NEWCTX = 1;
    public const int OSSL_FUNC_KDF_FREECTX = 3;
    public const int OSSL_FUNC_KDF_DERIVE = 5;

    private const int MostErrors = 4;

    [LibraryImport(Library)]
    public static partial nuint OpenSSL_version_num();

    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(Library)]
    public static partial int BIO_get_new_index();

    [LibraryImport(Library)]
    public static partial nint BIO_meth_new(int type, byte* name);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, void*, nint> control);

    [LibraryImport(Library)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Library)]
    public static partial int BIO_up_ref(nint bio);

    [LibraryImport(Library)]
    public static partial void BIO_set_init(nint bio, int isReady);

    [LibraryImport(Library)]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library)]
    public static partial nuint ERR_get_error();

    [LibraryImport(Library)]
    public static partial void ERR_error_string_n(nuint error, byte* buffer, nuint length);

    [LibraryImport(Library)]
    public static partial nint EVP_CIPHER_fetch(nint library, byte* name, byte* properties);

    /// <param name="context">The EVP_MAC_CTX.</param>
    /// <param name="parameters">The last one is all zero.</param>
    [LibraryImport(Library)]
    public static partial int EVP_MAC_CTX_set_params(nint context, Parameter* parameters);

    [LibraryImport(Library)]
    public static partial nint EVP_MAC_fetch(nint library, byte* name, byte* properties);

    [LibraryImport(Library)]
    public static partial void EVP_MAC_free(nint mac);

    [LibraryImport(Library)]
    public static partial nint EVP_MAC_CTX_new(nint mac);

    [LibraryImport(Library)]
    public static partial void EVP_MAC_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_init(nint context, byte* key, nuint length, Parameter* parameters);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_update(nint context, byte* data, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_final(nint context, byte* output, nuint* length, nuint size);

    [LibraryImport(Library)]
    public static partial int EVP_default_properties_is_fips_enabled(nint library);

    [LibraryImport(Library)]
    public static partial int OSSL_PROVIDER_add_builtin(
        nint library, byte* name, delegate* unmanaged[Cdecl]<nint, Dispatch*, Dispatch**, void**, int> init);

    [LibraryImport(Library)]
    public static partial nint OSSL_PROVIDER_try_load(nint library, byte* name, int retainFallbacks);

    [LibraryImport(Library)]
    public static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(Library)]
    public static partial void EVP_CIPHER_CTX_free(nint context);

    /// <param name="context">The EVP_CIPHER_CTX.</param>
    /// <param name="cipher">Zero leaves it.</param>
    /// <param name="engine">Always zero.</param>
    /// <param name="key">Null leaves it.</param>
    /// <param name="iv">The nonce.</param>
    /// <param name="encrypt">1 encrypts, 0 decrypts, -1 leaves it.</param>
    [LibraryImport(Library)]
    public static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);

    /// <summary>Without <paramref name="output"/>, the input is authenticated only. Input and output must not overlap in part.</summary>
    [LibraryImport(Library)]
    public static partial int EVP_CipherUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);

    [LibraryImport(Library)]
    public static partial int EVP_CipherFinal_ex(nint context, byte* output, int* outputLength);

    [LibraryImport(Library)]
    public static partial int EVP_CIPHER_CTX_ctrl(nint context, int command, int number, void* pointer);

    /// <summary>Empties this thread's error queue into one line.</summary>
    public static string TakeErrors()
    {
        const int length = 256;
        var buffer = stackalloc byte[length];
        var line = new StringBuilder();
        for (var taken = 0; ERR_get_error() is > 0 and var error; taken++)
        {
            if (taken >= MostErrors) continue;
            ERR_error_string_n(error, buffer, length);
            if (line.Length > 0) line.Append("; ");
            line.Append(Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer)));
        }

        return line.Length > 0 ? line.ToString() : "OpenSSL gives no reason";
    }

    /// <summary>A cipher by its zero-terminated name, never to be freed; zero if the installed providers do not have it.</summary>
    public static nint FetchCipher(ReadOnlySpan<byte> name)
    {
        ERR_clear_error();
        fixed (byte* start = name)
        {
            var cipher = EVP_CIPHER_fetch(0, start, null);
            ERR_clear_error();
            return cipher;
        }
    }

    /// <summary>An EVP_MAC_CTX for HMAC with a digest by its zero-terminated name; zero if there is none.</summary>
    public static nint NewHmac(ReadOnlySpan<byte> digest)
    {
        var hmac = FetchMac("HMAC\0"u8);
        var context = hmac == 0 ? 0 : EVP_MAC_CTX_new(hmac);
        EVP_MAC_free(hmac); // The context keeps it.
        if (context == 0) return 0;
        fixed (byte* name = digest, key = "digest\0"u8)
        {
            var parameters = stackalloc Parameter[]
            {
                new() { Key = key, Type = OSSL_PARAM_UTF8_STRING, Data = name, Size = (nuint)digest.Length - 1 },
                default,
            };
            if (EVP_MAC_CTX_set_params(context, parameters) == 1) return context;
        }

        EVP_MAC_CTX_free(context);
        return 0;
    }

    private static nint FetchMac(ReadOnlySpan<byte> name)
    {
        ERR_clear_error();
        fixed (byte* start = name)
        {
            var mac = EVP_MAC_fetch(0, start, null);
            ERR_clear_error();
            return mac;
        }
    }

    /// <summary>OSSL_DISPATCH(3).</summary>
    public readonly struct Dispatch(int id, void* function)
    {
        public readonly int Id = id;
        public readonly void* Function = function;
    }

    /// <summary>OSSL_ALGORITHM(3).</summary>
    public struct Algorithm
    {
        public byte* Names;
        public byte* Properties;
        public Dispatch* Functions;
        public byte* Description;
    }

    /// <summary>OSSL_PARAM(3).</summary>
    public struct Parameter
    {
        public byte* Key;
        public uint Type;
        public void* Data;
        public nuint Size;
        public nuint ReturnSize;
    }
}
