using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace StickyWs.Kernel;

/// <summary>An IP address and port in the kernel's form: <c>struct sockaddr_in</c> (ip(7)) or <c>sockaddr_in6</c> (ipv6(7)).</summary>
internal struct RawAddress : IEquatable<RawAddress>
{
    public const int MaxLength = 28;

    private const int LengthOfV4 = 16;

    private Bytes _bytes;

    public RawAddress(IPEndPoint endPoint)
    {
        Span<byte> bytes = _bytes;
        var isV6 = endPoint.AddressFamily == AddressFamily.InterNetworkV6;
        BitConverter.TryWriteBytes(bytes, (ushort)(isV6 ? Libc.AF_INET6 : Libc.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)endPoint.Port);
        endPoint.Address.TryWriteBytes(isV6 ? bytes[8..] : bytes[4..], out _);
        if (isV6) BitConverter.TryWriteBytes(bytes[24..], (uint)endPoint.Address.ScopeId);
    }

    public readonly int Family => BitConverter.ToUInt16(_bytes);

    public readonly uint Length => Family == Libc.AF_INET ? LengthOfV4 : (uint)MaxLength;

    public readonly ushort Port => BinaryPrimitives.ReadUInt16BigEndian(((ReadOnlySpan<byte>)_bytes)[2..]);

    public readonly IPAddress Address
    {
        get
        {
            ReadOnlySpan<byte> bytes = _bytes;
            return Family == Libc.AF_INET ? new IPAddress(bytes[4..8]) : new IPAddress(bytes[8..24], BitConverter.ToUInt32(bytes[24..]));
        }
    }

    public readonly IPEndPoint ToEndPoint() => new(Address, Port);

    public override readonly string ToString() => Family == 0 ? "?" : ToEndPoint().ToString();

    public readonly bool Equals(RawAddress other) => ((ReadOnlySpan<byte>)_bytes).SequenceEqual(other._bytes);

    public override readonly bool Equals(object? obj) => obj is RawAddress other && Equals(other);

    public override readonly int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    [InlineArray(MaxLength)]
    private struct Bytes
    {
        private byte _first;
    }
}
