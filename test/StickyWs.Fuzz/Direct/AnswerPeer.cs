using System.IO.Pipelines;

namespace StickyWs.Fuzz;

/// <summary>The runtime's own HTTP client, over memory, against a backend that answers with given bytes, and once more on the same connection.</summary>
internal static class AnswerPeer
{
    private static ReadOnlySpan<byte> Next => "HTTP/1.1 299 Next\r\nContent-Length: 2\r\n\r\nok"u8;

    /// <summary>What the client makes of it.</summary>
    /// <param name="answer">The bytes of the answer.</param>
    /// <param name="isHead">Whether the request was a HEAD.</param>
    /// <param name="ends">Whether the connection ends behind them; else the client asks once more.</param>
    public static async Task<SeenAnswer> ReadAsync(ReadOnlyMemory<byte> answer, bool isHead, bool ends)
    {
        var connections = new List<Backend>();
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, MaxConnectionsPerServer = 1 };
        handler.ConnectCallback = (_, _) =>
        {
            connections.Add(new Backend(connections.Count == 0 ? answer.ToArray() : null, ends));
            return ValueTask.FromResult<Stream>(connections[^1]);
        };
        using var client = new HttpMessageInvoker(handler);
        var seen = await AskAsync(client, isHead ? HttpMethod.Head : HttpMethod.Get);
        if (ends || seen.Refusal is not null) return seen;
        var next = await AskAsync(client, HttpMethod.Get);
        return seen with { WasKept = connections.Count == 1 && next is { Status: 299, Refusal: null } && next.Body.AsSpan().SequenceEqual("ok"u8) };
    }

    private static async Task<SeenAnswer> AskAsync(HttpMessageInvoker client, HttpMethod method)
    {
        using var body = new MemoryStream();
        var status = 0;
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            using var request = new HttpRequestMessage(method, "http://backend/");
            using var response = await client.SendAsync(request, stop.Token);
            status = (int)response.StatusCode;
            await response.Content.CopyToAsync(body, stop.Token);
            return new SeenAnswer(status, body.ToArray(), null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new SeenAnswer(status, body.ToArray(), $"{e.GetType().Name}: {e.Message}");
        }
    }

    // Answers when a request has been written.
    private sealed class Backend(byte[]? first, bool ends) : Stream
    {
        private readonly Pipe _answers = new();
        private int _asked;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await _answers.Reader.ReadAsync(cancellationToken);
            var length = (int)Math.Min(buffer.Length, read.Buffer.Length);
            var taken = read.Buffer.Slice(0, length);
            foreach (var segment in taken)
            {
                segment.CopyTo(buffer);
                buffer = buffer[segment.Length..];
            }

            // A read of nothing waits for data.
            _answers.Reader.AdvanceTo(taken.End);
            return length;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var isFirst = _asked++ == 0 && first is not null;
            await _answers.Writer.WriteAsync(isFirst ? first : Next.ToArray(), cancellationToken);
            if (isFirst && ends) await _answers.Writer.CompleteAsync();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
