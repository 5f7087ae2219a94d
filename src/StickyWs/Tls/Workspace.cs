using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// What a thread needs while it is within a call of a <see cref="TlsEnd"/>: the bytes that OpenSSL's BIO reads, the buffers that both record layers
/// write, and an EVP context per direction and suite. An idle connection needs none of it. An EVP context holds the key that it was last used with
/// until the thread uses it again or ends.
/// </summary>
internal sealed unsafe class Workspace
{
    [ThreadStatic]
    private static Workspace? _ofThread;

    private readonly nint[] _sealing = new nint[4];
    private readonly nint[] _opening = new nint[4];
    private nint _sha256;
    private nint _sha384;
    private TrafficKeys* _sealingKeys;
    private TrafficKeys* _openingKeys;

    // Frees what belongs to a thread that ended.
    ~Workspace()
    {
        foreach (var context in _sealing) OpenSsl.EVP_CIPHER_CTX_free(context);
        foreach (var context in _opening) OpenSsl.EVP_CIPHER_CTX_free(context);
        OpenSsl.EVP_MAC_CTX_free(_sha256);
        OpenSsl.EVP_MAC_CTX_free(_sha384);
    }

    public static Workspace OfThread => _ofThread ??= new Workspace();

    /// <summary>What the BIO has still to read.</summary>
    public byte* Input { get; set; }

    public int InputLength { get; set; }

    /// <summary>Whose SSL object is at work, for the callbacks.</summary>
    public TlsEnd? End { get; set; }

    /// <summary>What a callback could not throw.</summary>
    public Exception? Fault { get; set; }

    public PinnedBuffer Plain { get; } = new();

    public PinnedBuffer ToPeer { get; } = new();

    /// <summary>Starts a call that may write records. Received plaintext stays, so that one end may seal what another received.</summary>
    public static Workspace StartSealing()
    {
        var work = OfThread;
        work.ToPeer.Clear();
        work._sealingKeys = work._openingKeys = null;
        return work;
    }

    /// <summary>Starts a call that may also read records.</summary>
    public static Workspace StartReceiving()
    {
        var work = StartSealing();
        work.Plain.Clear();
        return work;
    }

    /// <summary>An EVP context with these keys, and the nonce of the next record. Re-keying costs some 140 ns, once per call and direction.</summary>
    /// <exception cref="CryptographicException">libcrypto refuses.</exception>
    public nint Sealing(TrafficKeys* keys, byte* nonce)
    {
        var key = _sealingKeys == keys ? null : keys->Key;
        _sealingKeys = keys;
        return Keyed(_sealing, keys->Suite, key, nonce, encrypt: 1);
    }

    /// <inheritdoc cref="Sealing"/>
    public nint Opening(TrafficKeys* keys, byte* nonce)
    {
        var key = _openingKeys == keys ? null : keys->Key;
        _openingKeys = keys;
        return Keyed(_opening, keys->Suite, key, nonce, encrypt: 0);
    }

    /// <summary>HMAC (RFC 2104) of two parts, one after the other. The context keeps the key until its next use.</summary>
    /// <param name="hash">The length of the hash: SHA-256 or SHA-384.</param>
    /// <param name="key">At least one byte.</param>
    /// <param name="first">The first part.</param>
    /// <param name="second">The second one.</param>
    /// <param name="output">As long as the hash; may be one of the parts.</param>
    /// <returns>Whether libcrypto has done it.</returns>
    public bool TryMac(int hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> output)
    {
        ref var context = ref hash == Hkdf.Sha256 ? ref _sha256 : ref _sha384;
        if (context == 0) context = OpenSsl.NewHmac(hash == Hkdf.Sha256 ? "SHA256\0"u8 : "SHA384\0"u8);
        if (context == 0) return false;
        nuint length;
        fixed (byte* keyStart = key, firstStart = first, secondStart = second, outputStart = output)
        {
            return OpenSsl.EVP_MAC_init(context, keyStart, (nuint)key.Length, null) == 1
                && (first.IsEmpty || OpenSsl.EVP_MAC_update(context, firstStart, (nuint)first.Length) == 1)
                && (second.IsEmpty || OpenSsl.EVP_MAC_update(context, secondStart, (nuint)second.Length) == 1)
                && OpenSsl.EVP_MAC_final(context, outputStart, &length, (nuint)output.Length) == 1 && length == (nuint)hash;
        }
    }

    /// <summary>Has the context of HMAC drop its last key.</summary>
    public void ForgetSecret(int hash)
    {
        Span<byte> output = stackalloc byte[Hkdf.MostHash];
        TryMac(hash, Hkdf.Zeros(hash), [], [], output[..hash]);
    }

    /// <summary>What the BIO reads next.</summary>
    public void Feed(byte* bytes, int length)
    {
        Input = bytes;
        InputLength = length;
        Fault = null;
    }

    /// <summary>The keys changed under this call.</summary>
    public void Forget() => _sealingKeys = _openingKeys = null;

    private static nint Keyed(nint[] contexts, RecordSuite suite, byte* key, byte* nonce, int encrypt)
    {
        ref var context = ref contexts[(int)suite];
        var isNew = context == 0;
        if (isNew) context = OpenSsl.EVP_CIPHER_CTX_new();
        if (context != 0 && OpenSsl.EVP_CipherInit_ex(context, isNew ? suite.Cipher : 0, 0, key, nonce, isNew ? encrypt : -1) == 1) return context;
        OpenSsl.EVP_CIPHER_CTX_free(context);
        context = 0;
        throw new CryptographicException("EVP_CipherInit_ex: " + OpenSsl.TakeErrors());
    }
}
