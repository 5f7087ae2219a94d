using System.Text;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>A backend's end of a connection whose records the test has in hand: a <see cref="TlsEnd"/> over bare bytes.</summary>
internal sealed class TlsPeer(Wire wire, TlsServerContext context) : IDisposable
{
    private readonly List<byte> _received = [];

    public Wire Wire => wire;

    public TlsEnd End { get; } = TlsEnd.Accept(context);

    /// <summary>Does the handshake, and reads the head of the request.</summary>
    public async Task<string> ReadHeadAsync()
    {
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. _received]);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
            {
                _received.RemoveRange(0, end + 4);
                return text[..(end + 4)];
            }

            await ReceiveAsync();
        }
    }

    /// <summary>Reads to the end, which must come in order: a close_notify, and nothing but a FIN after it.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        while (End.Status == TlsStatus.Open) await ReceiveAsync();
        Assert.Equal(TlsStatus.PeerClosed, End.Status);
        Assert.Empty(await wire.ReadToEndAsync());
        return [.. _received];
    }

    /// <inheritdoc cref="ReadToEndAsync"/>
    public async Task<string> ReadTextToEndAsync() => Encoding.Latin1.GetString(await ReadToEndAsync());

    /// <summary>Reads until the other side's alert, and says which.</summary>
    public async Task<string> ReadAlertAsync()
    {
        while (End.Status == TlsStatus.Open) await ReceiveAsync();
        return End.FailureReason ?? End.Status.ToString();
    }

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        while (_received.Count < count) await ReceiveAsync();
        var bytes = _received.Take(count).ToArray();
        _received.RemoveRange(0, count);
        return bytes;
    }

    public byte[] Seal(ReadOnlySpan<byte> plain) => End.Seal(plain).ToArray();

    public Task SendAsync(ReadOnlySpan<byte> plain) => wire.WriteAsync(Seal(plain));

    public byte[] CloseNotify() => End.Close().ToArray();

    public void Dispose() => End.Dispose();

    private async Task ReceiveAsync()
    {
        var buffer = new byte[32 * 1024];
        var read = await wire.ReadAsync(buffer);
        if (read == 0) throw new EndOfStreamException("Closed without a close_notify.");
        await wire.WriteAsync(Take(buffer.AsSpan(0, read)));
    }

    private byte[] Take(ReadOnlySpan<byte> bytes)
    {
        var step = End.Receive(bytes);
        _received.AddRange(step.Plain);
        return step.ToPeer.ToArray();
    }
}
