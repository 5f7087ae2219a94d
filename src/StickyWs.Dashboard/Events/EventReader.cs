using System.Threading.Channels;

namespace StickyWs.Dashboard.Events;

/// <summary>
/// What one reader has still to be told. Whoever tells never waits: when there is too much, all of it is replaced by a snapshot, which says how much was
/// missed.
/// </summary>
internal sealed class EventReader(EventWatch watch, EventKind wanted, bool needsSnapshot) : IDisposable
{
    private const int Capacity = 1024;

    private readonly Channel<EventFrame> _frames = Channel.CreateBounded<EventFrame>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Lock _lock = new();
    private bool _needsSnapshot = needsSnapshot;
    private long _missed;

    public bool HearsOf(EventKind kind) => (kind & ~wanted) == 0;

    public void Tell(EventFrame frame)
    {
        if (!HearsOf(frame.Kind)) return;
        lock (_lock)
        {
            if (!_needsSnapshot && _frames.Writer.TryWrite(frame)) return;
            _missed++;
            _needsSnapshot = true; // Once one is missed, those that wait are of no use either.
        }
    }

    /// <summary>A sign of life; one that waits for much else needs none.</summary>
    public void Beat() => _frames.Writer.TryWrite(EventFrame.HeartBeat);

    /// <summary>Only a snapshot says how things are.</summary>
    public void Restart(long missed)
    {
        lock (_lock)
        {
            _missed += missed;
            _needsSnapshot = true;
        }

        _frames.Writer.TryWrite(EventFrame.Wake);
    }

    /// <summary>There will be no more.</summary>
    public void Finish() => _frames.Writer.TryComplete();

    /// <summary>Waits until there is something.</summary>
    /// <returns>Whether there is; <see langword="false"/> at the end.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_needsSnapshot) return ValueTask.FromResult(true);
        }

        return _frames.Reader.WaitToReadAsync(cancellationToken);
    }

    /// <summary>Takes what there is to write next, if there is something.</summary>
    public bool TryRead(out EventFrame frame)
    {
        long missed;
        lock (_lock)
        {
            if (!_needsSnapshot) return _frames.Reader.TryRead(out frame);
            while (_frames.Reader.TryRead(out var waiting))
            {
                if (waiting.Bytes.Length > EventFrame.HeartBeat.Bytes.Length) _missed++;
            }

            (missed, _missed, _needsSnapshot) = (_missed, 0, false);
        }

        frame = watch.Snapshot(missed); // May hold changes that are told after it once more, but lacks none that is not.
        return true;
    }

    public void Dispose() => watch.Leave(this);
}
