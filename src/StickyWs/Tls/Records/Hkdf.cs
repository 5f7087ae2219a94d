using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>What TLS 1.3 needs of HKDF (RFC 5869; RFC 8446, section 7.1), with the thread's own contexts. A hash is named by its length in bytes.</summary>
internal static class Hkdf
{
    public const int Sha256 = 32;
    public const int Sha384 = 48;
    public const int MostHash = Sha384;

    private const int MostText = byte.MaxValue;

    private static readonly byte[] NothingBySha256 = SHA256.HashData([]);
    private static readonly byte[] NothingBySha384 = SHA384.HashData([]);
    private static readonly byte[] ManyZeros = new byte[MostHash];

    /// <summary>The hash of no message.</summary>
    public static ReadOnlySpan<byte> OfNothing(int hash) => hash == Sha256 ? NothingBySha256 : NothingBySha384;

    /// <summary>A secret of zeros.</summary>
    public static ReadOnlySpan<byte> Zeros(int hash) => ManyZeros.AsSpan(0, hash);

    /// <summary>HKDF-Expand-Label.</summary>
    /// <param name="work">The thread's.</param>
    /// <param name="hash">Its length.</param>
    /// <param name="secret">The key.</param>
    /// <param name="prefix">Of the label: "tls13 ".</param>
    /// <param name="label">The rest of the label; both at most 255 bytes.</param>
    /// <param name="context">Usually a hash; at most 255 bytes.</param>
    /// <param name="output">Where to; at most 255 times the hash.</param>
    /// <returns>Whether it was done. If not, a length is beyond what the RFC allows, or libcrypto refuses.</returns>
    public static bool TryExpandLabel(
        Workspace work, int hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        if (prefix.Length + label.Length > MostText || context.Length > MostText || output.Length > MostText * hash) return false;
        Span<byte> info = stackalloc byte[2 + 1 + MostText + 1 + MostText + 1];
        (info[0], info[1], info[2]) = ((byte)(output.Length >> 8), (byte)output.Length, (byte)(prefix.Length + label.Length));
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        var end = 3 + prefix.Length + label.Length;
        info[end] = (byte)context.Length;
        context.CopyTo(info[(end + 1)..]);
        info = info[..(end + 1 + context.Length + 1)];

        Span<byte> block = stackalloc byte[MostHash];
        block = block[..hash];
        var isDone = true;
        for (byte number = 1; isDone && !output.IsEmpty; number++)
        {
            info[^1] = number;
            isDone = work.TryMac(hash, secret, number == 1 ? [] : block, info, block);
            var length = Math.Min(hash, output.Length);
            block[..length].CopyTo(output);
            output = output[length..];
        }

        CryptographicOperations.ZeroMemory(block);
        return isDone;
    }
}
