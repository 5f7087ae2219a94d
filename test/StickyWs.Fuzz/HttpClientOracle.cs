namespace StickyWs.Fuzz;

/// <summary>The runtime's own HTTP client, over memory: a second opinion on a backend's answer.</summary>
internal sealed class HttpClientOracle : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpMessageInvoker _client;

    public HttpClientOracle()
    {
        _handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = (context, _) => ValueTask.FromResult<Stream>(new OneAnswer(Answers(context.InitialRequestMessage))),
        };
        _client = new HttpMessageInvoker(_handler);
    }

    private static HttpRequestOptionsKey<byte[]> Answer => new("answer");

    /// <summary>The status of an answer to a GET.</summary>
    /// <exception cref="HttpRequestException">The client refuses the head.</exception>
    public async Task<int> ReadStatusAsync(byte[] answer)
    {
        using var response = await SendAsync(answer);
        return (int)response.StatusCode;
    }

    /// <summary>
    /// The body of an answer to a GET; what came of it, where the client refuses the rest. That may be the trailers, which are no part of it.
    /// </summary>
    public async Task<byte[]> ReadBodyAsync(byte[] answer)
    {
        using var response = await SendAsync(answer);
        using var body = new MemoryStream();
        try
        {
            await response.Content.CopyToAsync(body);
        }
        catch (HttpRequestException)
        {
            return body.ToArray();
        }

        return body.ToArray();
    }

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(byte[] answer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://backend/");
        request.Options.Set(Answer, answer);
        return await _client.SendAsync(request, CancellationToken.None);
    }

    private static byte[] Answers(HttpRequestMessage request) => request.Options.TryGetValue(Answer, out var answer) ? answer : [];

    private sealed class OneAnswer(byte[] answer) : MemoryStream(answer, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
