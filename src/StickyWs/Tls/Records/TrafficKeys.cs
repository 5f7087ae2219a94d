using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// What TLS 1.3 needs of one direction of a connection (RFC 8446, sections 5.3 and 7.3). In native memory that only <see cref="SecretSlab"/> owns.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TrafficKeys
{
    public const int MostSecret = 48;
    public const int MostKey = 32;
    public const int IvLength = 12;

    public fixed byte Secret[MostSecret];
    public fixed byte Key[MostKey];
    public fixed byte Iv[IvLength];
    public RecordSuite Suite;

    /// <summary>Bytes of the secret that are set.</summary>
    public byte SecretLength;

    /// <summary>Of the next record.</summary>
    public ulong Sequence;
}

/// <summary>Both directions of a connection.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ConnectionKeys
{
    public TrafficKeys Read;
    public TrafficKeys Write;
}
