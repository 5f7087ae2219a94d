using System.Buffers.Binary;
using System.Security.Cryptography;

namespace StickyWs.Frames;

/// <summary>
/// A question of our own to one peer: a Ping frame (RFC 6455 section 5.5.2), and how to take its Pong out of what the peer sends. It may be repeated until it
/// is answered. The payload cannot be guessed, so no Pong that an application waits for is taken for it. Bytes that may be the beginning of such a Pong
/// are held back; there are never more than <see cref="Longest"/>.
/// </summary>
/// <param name="isToClient">Whether the peer is the client: it gets bare frames, and sends masked ones (section 5.1).</param>
internal sealed class OwnPing(bool isToClient)
{
    /// <summary>The most bytes that a Ping or its Pong takes.</summary>
    public const int Longest = HeadBytes + MaskBytes + BodyBytes;

    private const int HeadBytes = 2;
    private const int MaskBytes = 4;
    private const int SecretBytes = 8;
    private const int BodyBytes = SecretBytes + sizeof(uint); // The number of the ping comes last.
    private const byte FinAndPing = 0x89;
    private const byte FinAndPong = 0x8A;
    private const byte MaskBit = 0x80;

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(SecretBytes);
    private readonly byte[] _held = new byte[Longest];
    private readonly int _length = isToClient ? Longest : Longest - MaskBytes; // Of a Pong.
    private int _count;
    private int _released;
    private uint _asked;
    private uint _answered;

    /// <summary>Whether the last ping has its Pong. No earlier Pong comes after that: a peer may only leave them out (section 5.5.3).</summary>
    public bool IsAnswered => Volatile.Read(ref _answered) == Volatile.Read(ref _asked);

    /// <summary>What is to be passed on by a <see cref="Step.IsHeld"/>, until the next call.</summary>
    public ReadOnlyMemory<byte> Held => _held.AsMemory(0, _released);

    /// <summary>Writes the next Ping.</summary>
    /// <param name="to">At least <see cref="Longest"/> bytes.</param>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> to)
    {
        var number = Volatile.Read(ref _asked) + 1;
        Volatile.Write(ref _asked, number);
        (to[0], to[1]) = (FinAndPing, (byte)(isToClient ? BodyBytes : MaskBit | BodyBytes));
        var key = to[HeadBytes..][..(isToClient ? 0 : MaskBytes)];
        RandomNumberGenerator.Fill(key);
        var body = to.Slice(HeadBytes + key.Length, BodyBytes);
        _secret.CopyTo(body);
        BinaryPrimitives.WriteUInt32BigEndian(body[SecretBytes..], number);
        for (var i = 0; i < body.Length && !key.IsEmpty; i++) body[i] ^= key[i % MaskBytes];
        return HeadBytes + key.Length + BodyBytes;
    }

    /// <summary>Looks at the next bytes of the peer.</summary>
    /// <param name="at">Where its frames are after what was passed on so far.</param>
    /// <param name="bytes">At least one.</param>
    public Step Take(FrameCursor at, ReadOnlySpan<byte> bytes)
    {
        if (_count == 0)
        {
            var pass = 0;
            while (pass < bytes.Length && !(at.IsBetweenFrames && MayBePong(bytes[pass..]))) pass += at.FollowFrame(bytes[pass..]);
            if (pass > 0) return new Step(pass, pass, IsHeld: false);
        }

        var taken = 0;
        while (taken < bytes.Length && _count < _length)
        {
            _held[_count++] = bytes[taken++];
            if (!MayBePong(_held.AsSpan(0, _count))) return new Step(taken, Release().Length, IsHeld: true);
        }

        if (_count < _length) return new Step(taken, 0, IsHeld: false);
        Volatile.Write(ref _answered, NumberOf(_held));
        _count = 0;
        return new Step(taken, 0, IsHeld: false);
    }

    /// <summary>Gives up what is held back: nothing more comes that could make a Pong of it.</summary>
    public ReadOnlyMemory<byte> Release()
    {
        (_released, _count) = (_count, 0);
        return Held;
    }

    private bool MayBePong(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] != FinAndPong) return false;
        if (bytes.Length > 1 && bytes[1] != (isToClient ? MaskBit | BodyBytes : BodyBytes)) return false;
        var head = _length - BodyBytes;
        var count = Math.Min(bytes.Length, head + SecretBytes);
        for (var i = head; i < count; i++)
        {
            if (Unmasked(bytes, i) != _secret[i - head]) return false;
        }

        if (bytes.Length < _length) return true;
        var number = NumberOf(bytes);
        return number > Volatile.Read(ref _answered) && number <= Volatile.Read(ref _asked);
    }

    private uint NumberOf(ReadOnlySpan<byte> pong)
    {
        uint number = 0;
        for (var i = _length - sizeof(uint); i < _length; i++) number = (number << 8) | Unmasked(pong, i);
        return number;
    }

    private byte Unmasked(ReadOnlySpan<byte> pong, int at)
        => isToClient ? (byte)(pong[at] ^ pong[HeadBytes + ((at - HeadBytes - MaskBytes) % MaskBytes)]) : pong[at];
}

/// <summary>What to do with bytes that <see cref="OwnPing.Take"/> has looked at.</summary>
/// <param name="Taken">So many are done with.</param>
/// <param name="Pass">So many are to be passed on ...</param>
/// <param name="IsHeld">... of those that were held back (<see cref="OwnPing.Held"/>), or else the first of these.</param>
internal readonly record struct Step(int Taken, int Pass, bool IsHeld);
