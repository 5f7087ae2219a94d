using System.Buffers.Binary;
using System.Text;
using StickyWs.Tls;

namespace StickyWs.Detection;

/// <summary>
/// Reads the body of a ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Every length must add up. What is not needed, values that were made
/// up on purpose (GREASE, RFC 8701) included, is skipped.
/// </summary>
internal static class HelloBody
{
    private const int RandomLength = 32;
    private const int LongestSessionId = 32;
    private const int LongestServerName = 255; // A name of the DNS (RFC 1035 section 2.3.4), and the limit of OpenSSL.
    private const int MostLoggedProtocols = 8;
    private const int LongestLoggedProtocol = 32;
    private const byte HostName = 0;

    // Extension types (IANA).
    private const ushort ServerNameType = 0;
    private const ushort ProtocolsType = 16;
    private const ushort PreSharedKeyType = 41;

    private static readonly HelloFault Broken = new("its lengths do not add up", TlsAlert.decode_error);
    private static readonly HelloFault BadName = new("its server name cannot be one", TlsAlert.unrecognized_name);

    /// <param name="body">The message without its header.</param>
    /// <param name="length">The length on the connection, for the result.</param>
    public static ClientHello Parse(ReadOnlySpan<byte> body, int length)
    {
        string? name = null, protocols = null;
        var fault = Skip(ref body);
        if (fault is null && !body.IsEmpty) fault = ReadExtensions(body, ref name, ref protocols);
        return fault is null ? new ClientHello(length, name, protocols) : new ClientHello(length, Fault: fault);
    }

    // Everything before the extensions, which TLS 1.2 may do without.
    private static HelloFault? Skip(ref ReadOnlySpan<byte> body)
    {
        if (body.Length < 2 + RandomLength) return Broken;
        if (body[0] != 3) return new HelloFault($"version {body[0]}", TlsAlert.protocol_version);
        body = body[(2 + RandomLength)..];
        if (!TryTake(ref body, 1, out var session) || session.Length > LongestSessionId) return Broken;
        if (!TryTake(ref body, 2, out var suites) || suites.IsEmpty || suites.Length % 2 != 0) return Broken;
        return TryTake(ref body, 1, out var compressions) && !compressions.IsEmpty ? null : Broken;
    }

    private static HelloFault? ReadExtensions(ReadOnlySpan<byte> body, ref string? name, ref string? protocols)
    {
        if (!TryTake(ref body, 2, out var extensions) || !body.IsEmpty) return Broken;
        Span<ulong> seen = stackalloc ulong[(ushort.MaxValue + 1) / 64];
        seen.Clear();
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 2) return Broken;
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var data)) return Broken;
            ref var part = ref seen[type / 64];
            if ((part & (1UL << (type % 64))) != 0) return new HelloFault($"two extensions of type {type}", TlsAlert.illegal_parameter);
            part |= 1UL << (type % 64);
            var fault = type switch
            {
                ServerNameType => ReadServerName(data, ref name),
                ProtocolsType => ReadProtocols(data, ref protocols),
                PreSharedKeyType when !extensions.IsEmpty => new HelloFault("pre_shared_key is not its last extension", TlsAlert.illegal_parameter),
                _ => null,
            };
            if (fault is not null) return fault;
        }

        return null;
    }

    // A list, of exactly one name: no other type of name was ever defined, and there must not be two of one type.
    private static HelloFault? ReadServerName(ReadOnlySpan<byte> data, ref string? name)
    {
        if (!TryTake(ref data, 2, out var list) || !data.IsEmpty || list.IsEmpty || list[0] != HostName) return Broken;
        list = list[1..];
        if (!TryTake(ref list, 2, out var host) || !list.IsEmpty || host.IsEmpty) return Broken;
        if (host.Length > LongestServerName || host.Contains((byte)0)) return BadName;
        name = ServerNames.Read(host);
        return null;
    }

    private static HelloFault? ReadProtocols(ReadOnlySpan<byte> data, ref string? protocols)
    {
        if (!TryTake(ref data, 2, out var list) || !data.IsEmpty || list.IsEmpty) return Broken;
        var text = new StringBuilder();
        for (var count = 0; !list.IsEmpty; count++)
        {
            if (!TryTake(ref list, 1, out var protocol) || protocol.IsEmpty) return Broken;
            if (count >= MostLoggedProtocols || protocol.Length > LongestLoggedProtocol || IsGrease(protocol)) continue;
            if (protocol.ContainsAnyExceptInRange((byte)'!', (byte)'~')) continue;
            if (text.Length > 0) text.Append(',');
            text.Append(Encoding.ASCII.GetString(protocol));
        }

        protocols = text.ToString();
        return null;
    }

    // RFC 8701 section 2: 0x0A0A, 0x1A1A and so on.
    private static bool IsGrease(ReadOnlySpan<byte> protocol) => protocol.Length == 2 && protocol[0] == protocol[1] && (protocol[0] & 0x0F) == 0x0A;

    // A vector with its length in front of it.
    private static bool TryTake(ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> vector)
    {
        vector = default;
        if (rest.Length < lengthBytes) return false;
        var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        rest = rest[lengthBytes..];
        if (rest.Length < length) return false;
        vector = rest[..length];
        rest = rest[length..];
        return true;
    }
}
