namespace StickyWs.Proxying;

/// <summary>A client's body that can be ended early: once it is no longer wanted it ends, even for a read that is waiting for the client.</summary>
internal sealed class BodyGate(Stream body) : Stream
{
    private readonly CancellationTokenSource _closed = new();
    private CancellationToken _linked;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends the body: the rest is not wanted.</summary>
    public void End() => _closed.Cancel();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_closed.IsCancellationRequested && !_linked.IsCancellationRequested) return ValueTask.FromResult(0);
        if (_linked != cancellationToken)
        {
            _linked = cancellationToken; // The same token for the whole body.
            cancellationToken.UnsafeRegister(static closed => ((CancellationTokenSource)closed!).Cancel(), _closed);
        }

        var reading = body.ReadAsync(buffer, _closed.Token);
        return reading.IsCompletedSuccessfully ? reading : FinishAsync(reading);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> FinishAsync(ValueTask<int> reading)
    {
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_linked.IsCancellationRequested)
        {
            return 0;
        }
    }
}
