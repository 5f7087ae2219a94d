namespace StickyWs.Transport;

/// <summary>A connection to a backend that is counted in the budget.</summary>
internal sealed class PooledStream(Stream inner, DescriptorBudget budget) : AsyncStream
{
    private bool _isDisposed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => inner.WriteAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !Interlocked.Exchange(ref _isDisposed, true))
        {
            inner.Dispose();
            budget.Unpool();
        }

        base.Dispose(disposing);
    }
}
