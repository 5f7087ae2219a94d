using System.Buffers.Binary;
using System.Security.Cryptography;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>
/// One direction of TLS 1.3's record layer, written for tests with .NET's own ciphers. It seals and opens whatever it is asked to, also what no
/// honest peer sends.
/// </summary>
internal sealed class RecordForge(RecordSuite suite, byte[] secret)
{
    private const int TagLength = 16;

    private byte[] _secret = secret;

    public ulong Sequence { get; set; }

    public byte[] Key => Expand("tls13 key", suite == RecordSuite.Aes128Gcm ? 16 : 32);

    public byte[] Iv => Expand("tls13 iv", 12);

    public void Update()
    {
        _secret = Expand("tls13 traffic upd", _secret.Length);
        Sequence = 0;
    }

    public byte[] Data(ReadOnlySpan<byte> content) => Seal(23, content);

    public byte[] Seal(byte type, ReadOnlySpan<byte> content, int padding = 0) => SealInner([.. content, type, .. new byte[padding]]);

    /// <summary>Seals a whole TLSInnerPlaintext.</summary>
    public byte[] SealInner(ReadOnlySpan<byte> inner)
    {
        var record = new byte[5 + inner.Length + TagLength];
        (record[0], record[1], record[2]) = (23, 3, 3);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)(inner.Length + TagLength));
        var header = record.AsSpan(0, 5);
        var text = record.AsSpan(5, inner.Length);
        var tag = record.AsSpan(5 + inner.Length);
        var nonce = Nonce();
        if (suite == RecordSuite.ChaCha20Poly1305)
        {
            using var cipher = new ChaCha20Poly1305(Key);
            cipher.Encrypt(nonce, inner, text, tag, header);
        }
        else
        {
            using var cipher = new AesGcm(Key, TagLength);
            cipher.Encrypt(nonce, inner, text, tag, header);
        }

        return record;
    }

    /// <summary>The type and content of the records in a row.</summary>
    public List<OpenedRecord> Open(ReadOnlySpan<byte> records)
    {
        var opened = new List<OpenedRecord>();
        while (!records.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(records[3..]);
            opened.Add(OpenOne(records[..(5 + length)]));
            records = records[(5 + length)..];
        }

        return opened;
    }

    private OpenedRecord OpenOne(ReadOnlySpan<byte> record)
    {
        Assert.Equal((23, 3, 3), (record[0], record[1], record[2]));
        var inner = new byte[record.Length - 5 - TagLength];
        if (suite == RecordSuite.ChaCha20Poly1305)
        {
            using var cipher = new ChaCha20Poly1305(Key);
            cipher.Decrypt(Nonce(), record[5..^TagLength], record[^TagLength..], inner, record[..5]);
        }
        else
        {
            using var cipher = new AesGcm(Key, TagLength);
            cipher.Decrypt(Nonce(), record[5..^TagLength], record[^TagLength..], inner, record[..5]);
        }

        return new OpenedRecord(inner[^1], inner[..^1]);
    }

    private byte[] Nonce()
    {
        var nonce = Iv;
        var tail = nonce.AsSpan(4);
        BinaryPrimitives.WriteUInt64BigEndian(tail, BinaryPrimitives.ReadUInt64BigEndian(tail) ^ Sequence++);
        return nonce;
    }

    private byte[] Expand(string label, int length)
    {
        var hash = suite == RecordSuite.Aes256Gcm ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        return HKDF.Expand(hash, _secret, length, [0, (byte)length, (byte)label.Length, .. System.Text.Encoding.ASCII.GetBytes(label), 0]);
    }
}

/// <summary>Equal by content.</summary>
internal sealed record OpenedRecord(byte Type, byte[] Content)
{
    public bool Equals(OpenedRecord? other) => other is not null && Type == other.Type && Content.AsSpan().SequenceEqual(other.Content);

    public override int GetHashCode() => Type;
}
