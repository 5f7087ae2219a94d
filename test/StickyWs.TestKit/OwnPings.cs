namespace StickyWs.TestKit;

/// <summary>The balancer's own pings as bytes: a peer's view, which shares no code with what it judges.</summary>
public static class OwnPings
{
    /// <summary>The bytes of a payload.</summary>
    public const int Payload = 12;

    /// <summary>The bytes of one that a client gets; those of a backend have a key of 4 bytes more.</summary>
    public const int ToClient = 2 + Payload;

    public const int ToBackend = ToClient + 4;

    private static readonly byte[] Key = [0x5A, 7, 0xFF, 0];

    /// <summary>The payload of a ping, after a look at its header.</summary>
    public static byte[] PayloadOf(byte[] ping)
    {
        var isMasked = ping.Length == ToBackend;
        if (ping[0] != 0x89 || ping[1] != (isMasked ? 0x80 | Payload : Payload)) throw new InvalidOperationException($"No ping: {Convert.ToHexString(ping)}");
        return isMasked ? [.. ping[6..].Select((one, i) => (byte)(one ^ ping[2 + (i % 4)]))] : ping[2..];
    }

    /// <summary>The Pong that answers it: of a client masked, of a backend bare.</summary>
    public static byte[] Answer(byte[] ping) => Frame(0x8A, PayloadOf(ping), isMasked: ping.Length == ToClient);

    /// <summary>A short frame.</summary>
    public static byte[] Frame(byte first, byte[] payload, bool isMasked) => isMasked
        ? [first, (byte)(0x80 | payload.Length), .. Key, .. payload.Select((one, i) => (byte)(one ^ Key[i % 4]))]
        : [first, (byte)payload.Length, .. payload];
}
