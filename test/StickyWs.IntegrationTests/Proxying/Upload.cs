using System.Globalization;
using System.Text;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A client that sends a part of its body and then wants the answer.</summary>
internal sealed class Upload(ProxyHost proxy, bool isHttp2) : IDisposable
{
    private readonly HttpClient _client = ProxyHost.Client(proxy.Http2, http2: true);
    private PacedContent? _content;
    private Task<HttpResponseMessage>? _sending;
    private Wire? _wire;
    private bool _isChunked;

    /// <summary>Sends the head.</summary>
    public async Task BeginAsync(long? length, string headers = "")
    {
        _isChunked = length is null;
        if (isHttp2)
        {
            _content = new PacedContent(length);
            _sending = _client.PostAsync(new Uri("/", UriKind.Relative), _content);
            return;
        }

        _wire = await Wire.ConnectAsync(proxy.Http1);
        await _wire.WriteAsync($"POST / HTTP/1.1\r\nHost: example.test\r\n"
            + $"{headers}{(length is null ? "Transfer-Encoding: chunked" : $"Content-Length: {length}")}\r\n\r\n");
    }

    /// <summary>Sends so much of the body.</summary>
    public async Task SendAsync(int count)
    {
        if (_content is not null) await _content.SendAsync(count);
        else await _wire!.WriteAsync(_isChunked ? $"{count:x}\r\n{new string('b', count)}\r\n" : new string('b', count));
    }

    /// <summary>Sends on until the balancer takes no more, or so much was sent.</summary>
    public async Task SendOnAsync(int pieces, int count)
    {
        try
        {
            for (var i = 0; i < pieces; i++) await SendAsync(count);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // It has answered and closed, or the test has what it wants.
        }
    }

    public Task<string> ReadInterimAsync() => _wire!.ReadHeadAsync()!;

    public async Task<(int Status, string Body)> ReadAnswerAsync()
    {
        if (_sending is not null)
        {
            using var answer = await _sending;
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        var head = await _wire!.ReadHeadAsync() ?? throw new InvalidOperationException("No answer.");
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        if (length is not null) return (status, await _wire.ReadAsync(int.Parse(length.AsSpan(16), CultureInfo.InvariantCulture)));
        var body = new StringBuilder();
        while (true)
        {
            var size = "";
            while (!size.EndsWith("\r\n", StringComparison.Ordinal)) size += await _wire.ReadAsync(1);
            var count = int.Parse(size.AsSpan().Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append((await _wire.ReadAsync(count + 2)).AsSpan(0, count));
            if (count == 0) return (status, body.ToString());
        }
    }

    public void Dispose()
    {
        _content?.End();
        _wire?.Dispose();
        _client.Dispose();
    }
}
