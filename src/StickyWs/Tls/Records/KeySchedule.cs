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
        var work = Workspace.OfThread;
        Expand(work, keys, "key"u8, new Span<byte>(keys->Key, keys->Suite.KeyLength));
        Expand(work, keys, "iv"u8, new Span<byte>(keys->Iv, TrafficKeys.IvLength));
        work.ForgetSecret(keys->Suite.SecretLength);
        keys->Sequence = 0;
    }

    /// <summary>The next generation, after a KeyUpdate.</summary>
    public static void Update(TrafficKeys* keys)
    {
        var work = Workspace.OfThread;
        Span<byte> next = stackalloc byte[TrafficKeys.MostSecret];
        next = next[..keys->SecretLength];
        Expand(work, keys, "traffic upd"u8, next);
        next.CopyTo(new Span<byte>(keys->Secret, TrafficKeys.MostSecret));
        CryptographicOperations.ZeroMemory(next);
        Derive(keys);
    }

    private static void Expand(Workspace work, TrafficKeys* keys, ReadOnlySpan<byte> label, Span<byte> output)
    {
        var secret = new ReadOnlySpan<byte>(keys->Secret, keys->SecretLength);
        if (!Hkdf.TryExpandLabel(work, keys->Suite.SecretLength, secret, "tls13 "u8, label, [], output))
            throw new CryptographicException("HMAC: " + OpenSsl.TakeErrors());
    }
}
