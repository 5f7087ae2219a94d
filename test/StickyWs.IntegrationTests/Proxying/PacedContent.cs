using System.Net;
using System.Threading.Channels;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A body of which as much is sent as a test says.</summary>
internal sealed class PacedContent(long? length) : HttpContent
{
    private readonly Channel<(byte[] Piece, TaskCompletionSource Sent)> _pieces = Channel.CreateUnbounded<(byte[], TaskCompletionSource)>();

    /// <summary>Completes when so many bytes more were sent.</summary>
    public Task SendAsync(int count)
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pieces.Writer.TryWrite((new byte[count], sent));
        return sent.Task;
    }

    /// <summary>No more is sent. It is an error of the client's if a length was announced that was not reached.</summary>
    public void End() => _pieces.Writer.TryComplete();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync(); // Over HTTP/2 the head waits for the body else.
        await foreach (var (piece, sent) in _pieces.Reader.ReadAllAsync())
        {
            try
            {
                await stream.WriteAsync(piece);
                await stream.FlushAsync();
            }
            finally
            {
                sent.SetResult();
            }
        }
    }

    protected override bool TryComputeLength(out long known)
    {
        known = length ?? -1;
        return length is not null;
    }
}
