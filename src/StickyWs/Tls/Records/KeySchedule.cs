using System.Diagnostics;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>From traffic secrets to keys (RFC 8446, sections 7.1 to 7.3).</summary>
internal static unsafe class KeySchedule
{
    /// <summary>Sets key and iv from the secret; the next record has the number 0.</summary>
    public static void Derive(TrafficKeys* keys)
    {
        Debug.Assert(keys->SecretLength == keys->Suite.SecretLength);
        Expand(keys, "tls13 key"u8, new Span<byte>(keys->Key, keys->Suite.KeyLength));
        Expand(keys, "tls13 iv"u8, new Span<byte>(keys->Iv, TrafficKeys.IvLength));
        keys->Sequence = 0;
    }

    /// <summary>The next generation, after a KeyUpdate.</summary>
    public static void Update(TrafficKeys* keys)
    {
        Span<byte> next = stackalloc byte[TrafficKeys.MostSecret];
        next = next[..keys->SecretLength];
        Expand(keys, "tls13 traffic upd"u8, next);
        next.CopyTo(new Span<byte>(keys->Secret, TrafficKeys.MostSecret));
        CryptographicOperations.ZeroMemory(next);
        Derive(keys);
    }

    // HKDF-Expand-Label with an empty context, of no more than one block: HMAC(secret, info | 1), without the object that HKDF.Expand makes.
    private static void Expand(TrafficKeys* keys, ReadOnlySpan<byte> label, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[32];
        (info[0], info[1], info[2]) = (0, (byte)output.Length, (byte)label.Length);
        label.CopyTo(info[3..]);
        (info[3 + label.Length], info[4 + label.Length]) = (0, 1);
        Span<byte> block = stackalloc byte[TrafficKeys.MostSecret];
        CryptographicOperations.HmacData(keys->Suite.Hash, new ReadOnlySpan<byte>(keys->Secret, keys->SecretLength), info[..(5 + label.Length)], block);
        block[..output.Length].CopyTo(output);
        CryptographicOperations.ZeroMemory(block);
    }
}
