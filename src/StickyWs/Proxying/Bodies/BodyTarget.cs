namespace StickyWs.Proxying;

/// <summary>The destination of a body in one attempt to send it.</summary>
internal sealed class BodyTarget(Stream stream, bool isKept)
{
    private readonly TaskCompletionSource<bool> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the attempt may come to nothing, so that sent bytes are kept.</summary>
    public bool IsKept => isKept;

    /// <summary>How many bytes were sent, or about to be sent, here.</summary>
    public long Given { get; private set; }

    /// <summary>Why the attempt ended, if that happened during a write; guarded by the pump.</summary>
    public Exception? Ended { get; set; }

    /// <summary>Whether the whole body was sent; if not, the rest was not wanted.</summary>
    public Task<bool> End => _end.Task;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // The HTTP client buffers small writes. Without a flush, a client that sends part of its body and waits for the effect would wait forever.
        Given += bytes.Length;
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Finish(bool isWhole) => _end.TrySetResult(isWhole);

    public void Fail(Exception failure) => _end.TrySetException(failure);
}
