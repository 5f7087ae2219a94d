using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// OpenSSL asks for the key schedule of TLS 1.3 by name, as of any algorithm (provider-kdf(7), EVP_KDF-TLS13_KDF(7)). This is a provider of that one: so
/// the traffic secrets pass here. The other public way to them is the log of secrets, which OpenSSL 3.0 writes digit by digit (30 us of a handshake); and
/// of the 22 derivations of a handshake each takes a third of the default provider's time here. Only contexts that ask for it use it.
/// </summary>
internal static unsafe class KeyProvider
{
    private const int ExtractOnly = 1; // EVP_KDF_HKDF_MODE_EXTRACT_ONLY
    private const int ExpandOnly = 2;

    private static readonly Lazy<bool> Loaded = new(TryLoad);
    private static volatile bool _isGivenUp;
    private static OpenSsl.Algorithm* _algorithms;
    private static OpenSsl.Dispatch* _functions;

    /// <summary>What a context asks for: this provider where it has an algorithm, others for all else.</summary>
    public static ReadOnlySpan<byte> Query => "?provider=stickyws\0"u8;

    /// <summary>Whether contexts use it. Not in FIPS mode, where only the module's own algorithms are allowed.</summary>
    public static bool IsUsed => !_isGivenUp && Loaded.Value;

    private static ReadOnlySpan<byte> Name => "stickyws\0"u8;

    /// <summary>From now on, contexts take the log of secrets.</summary>
    public static void GiveUp() => _isGivenUp = true;

    private static bool TryLoad()
    {
        if (TlsLibrary.Refusal is not null || OpenSsl.EVP_default_properties_is_fips_enabled(0) == 1) return false;
        _functions = Terminated(
            new OpenSsl.Dispatch(OpenSsl.OSSL_FUNC_PROVIDER_QUERY_OPERATION, (delegate* unmanaged[Cdecl]<void*, int, int*, OpenSsl.Algorithm*>)&OnQuery));
        _algorithms = (OpenSsl.Algorithm*)NativeMemory.AllocZeroed(2, (nuint)sizeof(OpenSsl.Algorithm));
        _algorithms->Names = Lasting("TLS13-KDF\0"u8);
        _algorithms->Properties = Lasting("provider=stickyws\0"u8);
        _algorithms->Functions = Terminated(
            new OpenSsl.Dispatch(OpenSsl.OSSL_FUNC_KDF_NEWCTX, (delegate* unmanaged[Cdecl]<void*, void*>)&OnNew),
            new OpenSsl.Dispatch(OpenSsl.OSSL_FUNC_KDF_FREECTX, (delegate* unmanaged[Cdecl]<void*, void>)&OnFree),
            new OpenSsl.Dispatch(OpenSsl.OSSL_FUNC_KDF_DERIVE, (delegate* unmanaged[Cdecl]<void*, byte*, nuint, OpenSsl.Parameter*, int>)&OnDerive));
        OpenSsl.ERR_clear_error();
        fixed (byte* name = Name)
        {
            // The default provider stays, also where it is only there because no other was asked for.
            var isLoaded = OpenSsl.OSSL_PROVIDER_add_builtin(0, name, &OnInit) == 1 && OpenSsl.OSSL_PROVIDER_try_load(0, name, retainFallbacks: 1) != 0;
            OpenSsl.ERR_clear_error();
            return isLoaded;
        }
    }

    // For as long as the process lives.
    private static OpenSsl.Dispatch* Terminated(params ReadOnlySpan<OpenSsl.Dispatch> functions)
    {
        var table = (OpenSsl.Dispatch*)NativeMemory.AllocZeroed((nuint)functions.Length + 1, (nuint)sizeof(OpenSsl.Dispatch));
        functions.CopyTo(new Span<OpenSsl.Dispatch>(table, functions.Length));
        return table;
    }

    private static byte* Lasting(ReadOnlySpan<byte> text)
    {
        var copy = (byte*)NativeMemory.Alloc((nuint)text.Length);
        text.CopyTo(new Span<byte>(copy, text.Length));
        return copy;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnInit(nint handle, OpenSsl.Dispatch* core, OpenSsl.Dispatch** functions, void** context)
    {
        *functions = _functions;
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static OpenSsl.Algorithm* OnQuery(void* provider, int operation, int* mustNotCache)
    {
        *mustNotCache = 0;
        return operation == OpenSsl.OSSL_OP_KDF ? _algorithms : null;
    }

    // All that a derivation needs comes with it.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* OnNew(void* provider) => _algorithms;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFree(void* context)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnDerive(void* context, byte* output, nuint length, OpenSsl.Parameter* parameters)
    {
        var work = Workspace.OfThread;
        try
        {
            var request = new Request(parameters);
            var result = new Span<byte>(output, (int)length);
            if (!request.TryDerive(work, result)) return 0;
            if (request.Label.SequenceEqual("c ap traffic"u8)) work.End?.TakeSecret(result, isClients: true);
            else if (request.Label.SequenceEqual("s ap traffic"u8)) work.End?.TakeSecret(result, isClients: false);
            return 1;
        }
#pragma warning disable CA1031 // An exception must not cross OpenSSL's frames; the caller looks at it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            return 0;
        }
    }

    // What EVP_KDF-TLS13_KDF(7) lists. OpenSSL's own libssl is the only caller.
    private readonly ref struct Request
    {
        private readonly int _mode;
        private readonly int _hashLength;
        private readonly ReadOnlySpan<byte> _key;
        private readonly ReadOnlySpan<byte> _salt;
        private readonly ReadOnlySpan<byte> _prefix;
        private readonly ReadOnlySpan<byte> _data;

        public Request(OpenSsl.Parameter* parameters)
        {
            for (var next = parameters; next != null && next->Key != null; next++)
            {
                var value = new ReadOnlySpan<byte>(next->Data, (int)next->Size);
                switch (MemoryMarshal.CreateReadOnlySpanFromNullTerminated(next->Key))
                {
                    case [(byte)'m', ..]: _mode = next->Type == OpenSsl.OSSL_PARAM_INTEGER && value.Length == sizeof(int) ? *(int*)next->Data : 0; break;
                    case [(byte)'d', (byte)'i', ..]: _hashLength = HashOf(value); break;
                    case [(byte)'d', ..]: _data = value; break;
                    case [(byte)'k', ..]: _key = value; break;
                    case [(byte)'s', ..]: _salt = value; break;
                    case [(byte)'p', (byte)'r', (byte)'e', ..]: _prefix = value; break;
                    case [(byte)'l', ..]: Label = value; break;
                }
            }
        }

        public ReadOnlySpan<byte> Label { get; }

        public bool TryDerive(Workspace work, Span<byte> output) => _hashLength != 0 && _mode switch
        {
            ExpandOnly when !_key.IsEmpty => Hkdf.TryExpandLabel(work, _hashLength, _key, _prefix, Label, _data, output),
            ExtractOnly when output.Length == _hashLength => TryExtract(work, output),
            _ => false,
        };

        // By OpenSSL's own names: other digests end with the same length (SHA3-256, SHA2-512/256).
        private static int HashOf(ReadOnlySpan<byte> digest)
            => digest.SequenceEqual("SHA2-256"u8) || digest.SequenceEqual("SHA256"u8) ? Hkdf.Sha256
                : digest.SequenceEqual("SHA2-384"u8) || digest.SequenceEqual("SHA384"u8) ? Hkdf.Sha384 : 0;

        // RFC 8446, section 7.1: no secret is zeros, and from one to the next it takes a derivation with the hash of nothing.
        private bool TryExtract(Workspace work, Span<byte> output)
        {
            Span<byte> salt = stackalloc byte[Hkdf.MostHash];
            salt = salt[.._hashLength];
            salt.Clear();
            var key = _key.IsEmpty ? Hkdf.Zeros(_hashLength) : _key;
            var isDone = (_salt.IsEmpty || Hkdf.TryExpandLabel(work, _hashLength, _salt, _prefix, Label, Hkdf.OfNothing(_hashLength), salt))
                && work.TryMac(_hashLength, salt, key, [], output);
            CryptographicOperations.ZeroMemory(salt);
            return isDone;
        }
    }
}
