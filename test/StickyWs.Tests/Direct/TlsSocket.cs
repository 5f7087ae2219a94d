using System.Net.Sockets;
using System.Text;
using StickyWs.Tests.Tls;
using StickyWs.Tls;

namespace StickyWs.Tests.Direct;

/// <summary>The peer of a TLS end of ours, behind its handshake, on a socket. Its secrets are known, so that anything can be sent in its name.</summary>
internal sealed class TlsSocket : IDisposable
{
    private const RecordSuite Suite = RecordSuite.Aes128Gcm;

    private readonly TlsEnd _end;

    /// <param name="socket">The socket; the caller's.</param>
    /// <param name="isClient">Which side it is.</param>
    /// <param name="recordsPerKey">After how many records it updates its key.</param>
    public TlsSocket(Socket socket, bool isClient, uint recordsPerKey = TlsServerSettings.DefaultRecordsPerKey)
    {
        (Socket, IsClient) = (socket, isClient);
        _end = TlsEnd.Resume(SecretSlab.Shared, Suite, Secret(!isClient), Secret(isClient), recordsPerKey, 16384, isClient);
        Forge = new RecordForge(Suite, Secret(isClient));
    }

    public Socket Socket { get; }

    /// <summary>Seals in its place. Its own records and these have one numbering: use one or the other.</summary>
    public RecordForge Forge { get; }

    /// <summary>How many records have come.</summary>
    public int Records { get; private set; }

    public TlsStatus Status => _end.Status;

    public string? FailureReason => _end.FailureReason;

    private bool IsClient { get; }

    /// <summary>The end that it talks to.</summary>
    public TlsEnd Ours(SecretSlab slab, uint recordsPerKey = TlsServerSettings.DefaultRecordsPerKey)
        => TlsEnd.Resume(slab, Suite, Secret(IsClient), Secret(!IsClient), recordsPerKey, 16384, !IsClient);

    public byte[] Seal(string text) => _end.Seal(Encoding.Latin1.GetBytes(text)).ToArray();

    public byte[] CloseNotify() => _end.Close().ToArray();

    public void Send(string text) => Socket.Send(Seal(text));

    /// <summary>Receives until the text has come, and nothing behind it; or up to the end, of TLS or of the connection.</summary>
    public string ReadTo(string? end)
    {
        var text = "";
        var buffer = new byte[64 * 1024];
        while (end is null || !text.EndsWith(end, StringComparison.Ordinal))
        {
            if (_end.Status != TlsStatus.Open) return text;
            var count = Socket.Receive(buffer);
            if (count == 0) return text;
            var bytes = buffer.AsSpan(0, count);
            text += Encoding.Latin1.GetString(_end.Receive(bytes).Plain);
            for (; bytes.Length >= 5; bytes = bytes[Math.Min(bytes.Length, 5 + ((bytes[3] << 8) | bytes[4]))..]) Records++;
        }

        return text;
    }

    /// <summary>Receives what is there; empty at the end. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Receive(byte[] buffer)
    {
        while (Socket.Receive(buffer) is > 0 and var count)
        {
            var step = _end.Receive(buffer.AsSpan(0, count));
            if (!step.Plain.IsEmpty) return step.Plain;
            if (step.Status != TlsStatus.Open) throw new IOException($"{step.Status}: {FailureReason}");
        }

        return [];
    }

    /// <summary>Opens what has come.</summary>
    public int Open(ReadOnlySpan<byte> bytes) => _end.Receive(bytes).Plain.Length;

    /// <summary>What it sends next, without an array.</summary>
    public ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> plain) => _end.Seal(plain);

    public void Dispose() => _end.Dispose();

    private static byte[] Secret(bool isClients) => TlsTest.Bytes(32, isClients ? 21 : 22);
}
