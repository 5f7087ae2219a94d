using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace StickyWs.Http1;

/// <summary><c>Sec-WebSocket-Key</c>, and the <c>Sec-WebSocket-Accept</c> derived from it (RFC 6455 section 4.2.2, point 5.4).</summary>
internal static class WebSocketKey
{
    private const int KeyLength = 24;
    private const int AcceptLength = 28;

    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Whether it is the base64 of exactly 16 bytes.</summary>
    public static bool IsValid(ReadOnlySpan<byte> key)
    {
        Span<byte> decoded = stackalloc byte[18];
        return key.Length == KeyLength
            && !key.ContainsAny(" \t\r\n"u8)
            && Base64.DecodeFromUtf8(key, decoded, out _, out var written) == OperationStatus.Done
            && written == 16;
    }

    /// <summary>Whether an accept value proves that the backend read this key.</summary>
    public static bool IsAnsweredBy(ReadOnlySpan<byte> key, ReadOnlySpan<byte> accept)
    {
        Span<byte> expected = stackalloc byte[AcceptLength];
        WriteAccept(key, expected);
        return accept.SequenceEqual(expected);
    }

    /// <summary>Writes the 28 bytes of the accept value for a key.</summary>
    public static void WriteAccept(ReadOnlySpan<byte> key, Span<byte> accept)
    {
        Span<byte> joined = stackalloc byte[KeyLength + 36];
        key.CopyTo(joined);
        Guid.CopyTo(joined[KeyLength..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6455 prescribes SHA-1; it guards against mix-ups, not against attackers.
        SHA1.HashData(joined, hash);
#pragma warning restore CA5350
        Base64.EncodeToUtf8(hash, accept, out _, out _);
    }

    /// <summary>A new random key.</summary>
    public static string Create() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
}
