using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StickyWs.Pinning;

/// <summary>
/// Identifies a client: the first 128 bits of a SHA-256 over pool, rule and value. It has a fixed size whatever a client sends, reveals no token to
/// readers of the shared store, and collisions cannot be constructed.
/// </summary>
internal readonly record struct PinKey(ulong High, ulong Low)
{
    /// <summary>The longest value that counts; longer ones are ignored.</summary>
    public const int LongestValue = 1024;

    private const int LongestStackPrefix = 512;

    public bool IsNone => this == default;

    /// <summary>The key of a value, under a prefix from <see cref="Prefix"/>.</summary>
    public static PinKey Of(byte[] prefix, ReadOnlySpan<byte> value)
    {
        var length = prefix.Length + value.Length;
        var fits = prefix.Length <= LongestStackPrefix && value.Length <= LongestValue;
        Span<byte> joined = fits ? stackalloc byte[LongestStackPrefix + LongestValue] : new byte[length];
        prefix.CopyTo(joined);
        value.CopyTo(joined[prefix.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(joined[..length], hash);
        return Read(hash);
    }

    /// <summary>Separates the values of one rule of one pool from all others. The same on every instance.</summary>
    /// <param name="pool">The pool's name, in any case.</param>
    /// <param name="kind">The kind of the rule, in lower case, so that no upper-cased pool name can contain it.</param>
    /// <param name="name">
    /// What the rule looks for, in upper case if case does not matter. It is preceded by its length, since it may contain anything that a value may.
    /// </param>
    public static byte[] Prefix(string pool, string kind, string name)
        => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{pool.ToUpperInvariant()}\n{kind}\n{name.Length}\n{name}\n"));

    public static PinKey Random()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return Read(bytes);
    }

    public static PinKey Read(ReadOnlySpan<byte> bytes)
        => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    public static bool TryParse(string text, out PinKey key)
    {
        key = default;
        if (text.Length != 32
            || !ulong.TryParse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)) return false;
        key = new PinKey(high, low);
        return true;
    }

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}
