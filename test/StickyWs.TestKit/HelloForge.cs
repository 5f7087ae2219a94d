using System.Net.Security;
using System.Security.Authentication;
using System.Text;

namespace StickyWs.TestKit;

/// <summary>Makes ClientHellos (RFC 8446 section 4.1.2): good ones, and the parts of bad ones.</summary>
public static class HelloForge
{
    private static readonly byte[] Random = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    /// <summary>One that a server of TLS 1.2 or 1.3 understands, in one record, with values that were made up on purpose (GREASE).</summary>
    public static byte[] Hello(string? serverName, params (int Type, byte[] Data)[] more) => Records(Message(Body([.. Usual(serverName), .. more])));

    /// <summary>The extensions of an ordinary client.</summary>
    public static (int Type, byte[] Data)[] Usual(string? serverName) =>
    [
        (0x0A0A, []),
        .. serverName is null ? [] : new[] { ServerName(serverName) },
        (43, [6, 0x1A, 0x1A, 3, 4, 3, 3]), // supported_versions
        (10, [0, 6, 0x2A, 0x2A, 0, 29, 0, 23]), // supported_groups
        (13, [0, 6, 4, 3, 8, 4, 4, 1]), // signature_algorithms
        (51, [0, 36, 0, 29, 0, 32, .. Random]), // key_share
        (0x3A3A, [0]),
    ];

    /// <summary>The message without its header.</summary>
    public static byte[] Body(params (int Type, byte[] Data)[] extensions) => BodyOf(Extensions(extensions));

    /// <summary>The same, with a whole block of extensions; empty for none.</summary>
    public static byte[] BodyOf(byte[] extensions, byte[]? session = null, byte[]? suites = null, byte[]? compressions = null) =>
    [
        3, 3, .. Random,
        .. Vector(1, session ?? Random),
        .. Vector(2, suites ?? [0x4A, 0x4A, 0x13, 1, 0x13, 2, 0xC0, 0x2B, 0xC0, 0x2F]),
        .. Vector(1, compressions ?? [0]),
        .. extensions,
    ];

    /// <summary>The block of extensions with its length.</summary>
    public static byte[] Extensions(params (int Type, byte[] Data)[] extensions)
        => Vector(2, [.. extensions.SelectMany(extension => (byte[])[(byte)(extension.Type >> 8), (byte)extension.Type, .. Vector(2, extension.Data)])]);

    public static (int Type, byte[] Data) ServerName(string name) => (0, Vector(2, [0, .. Vector(2, Encoding.Latin1.GetBytes(name))]));

    public static (int Type, byte[] Data) Protocols(params string[] names)
        => (16, Vector(2, [.. names.SelectMany(name => Vector(1, Encoding.Latin1.GetBytes(name)))]));

    /// <summary>The message with its header.</summary>
    public static byte[] Message(byte[] body, byte type = 1, int? length = null)
    {
        var announced = length ?? body.Length;
        return [type, (byte)(announced >> 16), (byte)(announced >> 8), (byte)announced, .. body];
    }

    /// <summary>The message in records of this size.</summary>
    public static byte[] Records(byte[] message, int size = 1 << 14)
        => [.. message.Chunk(size).SelectMany(part => (byte[])[22, 3, 1, .. Vector(2, part)])];

    /// <summary>A vector with its length in front of it.</summary>
    public static byte[] Vector(int lengthBytes, byte[] content)
        => lengthBytes == 1 ? [(byte)content.Length, .. content] : [(byte)(content.Length >> 8), (byte)content.Length, .. content];

    /// <summary>What the runtime's own client sends.</summary>
    public static async Task<byte[]> OfRuntimeAsync(string serverName, SslProtocols protocols, params SslApplicationProtocol[] application)
    {
        await using var written = new Written();
        await using var client = new SslStream(written);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [.. application],
        };
        try
        {
            await client.AuthenticateAsClientAsync(options);
        }
        catch (IOException)
        {
            // Nobody answers.
        }

        return written.ToArray();
    }

    // Nothing comes back.
    private sealed class Written : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override int Read(Span<byte> buffer) => 0;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(0);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(0);
    }
}
