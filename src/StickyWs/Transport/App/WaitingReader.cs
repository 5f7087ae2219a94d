using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace StickyWs.Transport;

/// <summary>
/// The reader of a pipe that tells when it has to wait for bytes, and how many were used before. One reader at a time, as with any pipe.
/// </summary>
internal sealed class WaitingReader(PipeReader inner, IAppClient client) : PipeReader
{
    private ReadOnlySequence<byte> _last;
    private long _taken;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reading = inner.ReadAsync(cancellationToken);
        if (reading.IsCompletedSuccessfully) return ValueTask.FromResult(Note(reading.Result));
        if (!reading.IsCompleted) client.AppWaits(_taken);
        return WaitAsync(reading);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        Note(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    // Counted first: from the advance on the memory may be somebody else's.
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _taken += _last.Slice(0, consumed).Length;
        _last = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    // Whoever feeds it need not know why nobody reads any more.
    public override void Complete(Exception? exception = null) => inner.Complete();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading) => Note(await reading.ConfigureAwait(false));

    private ReadResult Note(in ReadResult result)
    {
        _last = result.Buffer;
        return result;
    }
}
