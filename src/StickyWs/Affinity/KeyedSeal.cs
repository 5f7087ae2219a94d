using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace StickyWs.Affinity;

/// <summary>AES-256-GCM with the configured keys: the first seals, all of them open. Nonce, ciphertext and tag, in base64url.</summary>
internal sealed class KeyedSeal : CookieSeal
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    private readonly byte[] _purpose;
    private readonly ThreadLocal<AesGcm>[] _keys; // An instance is not thread-safe.

    /// <param name="keys">Each the base64 of 32 bytes.</param>
    /// <param name="purpose">What is sealed for one purpose cannot be opened for another.</param>
    public KeyedSeal(IEnumerable<string> keys, byte[] purpose)
    {
        _purpose = purpose;
        _keys = [.. keys.Select(Convert.FromBase64String).Select(key => new ThreadLocal<AesGcm>(() => new AesGcm(key, TagLength)))];
    }

    public override string Seal(ReadOnlySpan<byte> content)
    {
        Span<byte> token = stackalloc byte[LongestText];
        token = token[..(NonceLength + content.Length + TagLength)];
        var nonce = token[..NonceLength];
        RandomNumberGenerator.Fill(nonce);
        _keys[0].Value!.Encrypt(nonce, content, token[NonceLength..^TagLength], token[^TagLength..], _purpose);
        return Base64Url.EncodeToString(token);
    }

    public override int Open(ReadOnlySpan<byte> text, Span<byte> content, out bool isOld)
    {
        isOld = false;
        Span<byte> token = stackalloc byte[LongestText];
        if (text.Length > LongestText || Base64Url.DecodeFromUtf8(text, token, out _, out var length) != OperationStatus.Done) return -1;
        var contentLength = length - NonceLength - TagLength;
        if (contentLength < 0 || contentLength > content.Length) return -1;
        var ciphertext = token.Slice(NonceLength, contentLength);
        var tag = token.Slice(length - TagLength, TagLength);
        foreach (var key in _keys)
        {
            try
            {
                key.Value!.Decrypt(token[..NonceLength], ciphertext, tag, content[..contentLength], _purpose);
                isOld = key != _keys[0];
                return contentLength;
            }
            catch (AuthenticationTagMismatchException)
            {
                // Not by this key.
            }
        }

        return -1;
    }
}
