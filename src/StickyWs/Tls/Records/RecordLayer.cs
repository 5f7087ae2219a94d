using System.Buffers.Binary;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>Protects and opens the records of TLS 1.3 (RFC 8446, section 5.2). Knows keys and numbers; what a record means is others' to know.</summary>
internal static unsafe class RecordLayer
{
    public const int HeaderLength = 5;

    /// <summary>The most content of a record.</summary>
    public const int MostContent = 1 << 14;

    /// <summary>The most that a header may announce.</summary>
    public const int MostCiphertext = MostContent + 256;

    /// <summary>What a record adds to its content: header, type and tag.</summary>
    public const int Overhead = HeaderLength + 1 + TagLength;

    private const int TagLength = 16;

    // Up to here, copying is cheaper than a further call.
    private const int LongestCopy = 1024;

    /// <summary>Appends one record to what goes to the peer. It is not padded.</summary>
    /// <returns>Whether there was a number left for it; if not, nothing is written.</returns>
    /// <exception cref="CryptographicException">libcrypto refuses.</exception>
    public static bool TrySeal(Workspace work, TrafficKeys* keys, RecordType type, ReadOnlySpan<byte> content)
    {
        if (keys->Sequence == ulong.MaxValue) return false;
        var record = work.ToPeer.Reserve(content.Length + Overhead);
        WriteHeader(record, content.Length + 1 + TagLength);
        var nonce = stackalloc byte[TrafficKeys.IvLength];
        WriteNonce(keys, nonce);
        var context = work.Sealing(keys, nonce);
        keys->Sequence++;
        int written;
        var ends = record + HeaderLength + content.Length;
        var isSealed = OpenSsl.EVP_CipherUpdate(context, null, &written, record, HeaderLength) == 1;
        *ends = (byte)type;
        if (content.Length <= LongestCopy)
        {
            content.CopyTo(new Span<byte>(record + HeaderLength, content.Length));
            isSealed = isSealed && OpenSsl.EVP_CipherUpdate(context, record + HeaderLength, &written, record + HeaderLength, content.Length + 1) == 1;
        }
        else
        {
            fixed (byte* start = content)
            {
                isSealed = isSealed && OpenSsl.EVP_CipherUpdate(context, record + HeaderLength, &written, start, content.Length) == 1
                    && OpenSsl.EVP_CipherUpdate(context, ends, &written, ends, 1) == 1;
            }
        }

        isSealed = isSealed && OpenSsl.EVP_CipherFinal_ex(context, nonce, &written) == 1
            && OpenSsl.EVP_CIPHER_CTX_ctrl(context, OpenSsl.EVP_CTRL_AEAD_GET_TAG, TagLength, ends + 1) == 1;
        if (!isSealed) throw new CryptographicException("A record could not be sealed: " + OpenSsl.TakeErrors());
        work.ToPeer.Advance(content.Length + Overhead);
        return true;
    }

    /// <summary>Opens one whole record. Its content is written behind the plaintext, but not counted there.</summary>
    /// <returns>Bytes of content, or minus the <see cref="TlsAlert"/> that the record deserves.</returns>
    /// <exception cref="CryptographicException">libcrypto refuses to use the keys.</exception>
    public static int Open(Workspace work, TrafficKeys* keys, ReadOnlySpan<byte> record, out RecordType type)
    {
        type = default;
        var length = record.Length - HeaderLength - TagLength;
        if (length < 0) return -(int)TlsAlert.bad_record_mac;
        if (keys->Sequence == ulong.MaxValue) return -(int)TlsAlert.internal_error;
        var content = work.Plain.Reserve(length);
        var nonce = stackalloc byte[TrafficKeys.IvLength];
        WriteNonce(keys, nonce);
        var context = work.Opening(keys, nonce);
        fixed (byte* start = record)
        {
            int written;
            var isAuthentic = OpenSsl.EVP_CipherUpdate(context, null, &written, start, HeaderLength) == 1
                && (length == 0 || OpenSsl.EVP_CipherUpdate(context, content, &written, start + HeaderLength, length) == 1)
                && OpenSsl.EVP_CIPHER_CTX_ctrl(context, OpenSsl.EVP_CTRL_AEAD_SET_TAG, TagLength, start + HeaderLength + length) == 1
                && OpenSsl.EVP_CipherFinal_ex(context, nonce, &written) == 1;
            if (!isAuthentic)
            {
                OpenSsl.ERR_clear_error();
                new Span<byte>(content, length).Clear(); // Nobody sees what was not authentic.
                return -(int)TlsAlert.bad_record_mac;
            }
        }

        keys->Sequence++;
        return Unpad(content, length, out type);
    }

    // TLSInnerPlaintext: content, type, zeros (section 5.4).
    private static int Unpad(byte* content, int length, out RecordType type)
    {
        type = default;
        if (length > MostContent + 1) return -(int)TlsAlert.record_overflow;
        var last = new ReadOnlySpan<byte>(content, length).LastIndexOfAnyExcept((byte)0);
        if (last < 0) return -(int)TlsAlert.unexpected_message;
        type = (RecordType)content[last];
        return last;
    }

    private static void WriteHeader(byte* record, int length)
    {
        (record[0], record[1], record[2]) = ((byte)RecordType.ApplicationData, 3, 3);
        (record[3], record[4]) = ((byte)(length >> 8), (byte)length);
    }

    // The iv, with the number of the record in its last eight bytes (section 5.3).
    private static void WriteNonce(TrafficKeys* keys, byte* nonce)
    {
        var iv = new ReadOnlySpan<byte>(keys->Iv, TrafficKeys.IvLength);
        iv.CopyTo(new Span<byte>(nonce, TrafficKeys.IvLength));
        var tail = new Span<byte>(nonce + 4, sizeof(ulong));
        BinaryPrimitives.WriteUInt64BigEndian(tail, BinaryPrimitives.ReadUInt64BigEndian(tail) ^ keys->Sequence);
    }
}
