namespace StickyWs.Proxying;

/// <summary>Where a body goes in one attempt to send it.</summary>
internal sealed class BodyTarget(Stream stream, bool isKept)
{
    private readonly TaskCompletionSource<bool> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the attempt may come to nothing, so that what is sent is kept.</summary>
    public bool IsKept => isKept;

    /// <summary>How much went, or was to go, here.</summary>
    public long Given { get; private set; }

    /// <summary>Why the attempt ended, where that was during a write; guarded by the pump.</summary>
    public Exception? Ended { get; set; }

    /// <summary>Whether all of the body was sent; if not, nobody wanted the rest.</summary>
    public Task<bool> End => _end.Task;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // The HTTP client collects small writes, and a client that sends a part of its body and waits for the effect would wait forever.
        Given += bytes.Length;
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Finish(bool isWhole) => _end.TrySetResult(isWhole);

    public void Fail(Exception failure) => _end.TrySetException(failure);
}
