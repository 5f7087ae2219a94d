using System.Buffers.Binary;
using System.Net;

namespace StickyWs.Backends;

/// <summary>A failure that the data path saw: what it is evidence of, and whose request it was.</summary>
/// <param name="Evidence">What was seen.</param>
/// <param name="Cause">The same in words, for the log.</param>
/// <param name="Client">The client's address; <see langword="null"/> where there is none.</param>
internal readonly record struct Suspicion(Evidence Evidence, string Cause, IPAddress? Client = null)
{
    public bool IsProof => Evidence.IsProof();

    public static Suspicion Of(Evidence evidence, IPAddress? client) => new(evidence, evidence.ToText(), client);

    /// <summary>Tells clients apart. A host has a whole IPv6 /64 to itself (RFC 4291 section 2.5.4).</summary>
    public static UInt128 KeyOf(IPAddress? client)
    {
        if (client is null) return 0;
        Span<byte> bytes = stackalloc byte[16];
        (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).TryWriteBytes(bytes, out var length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes) + ((UInt128)1 << 64);
    }
}
