using Microsoft.Extensions.Logging;
using StickyWs.State;

namespace StickyWs.Dashboard.Events;

/// <summary>Watches the balancer for those who want to hear of the same, and not at all while nobody does.</summary>
#pragma warning disable CA1001 // What watches disposes of its own source.
internal sealed partial class EventWatch(IStickyWsState state, bool withTunnels, TimeProvider time, StickyWsDashboardOptions options, ILogger logger)
#pragma warning restore CA1001
{
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly List<EventReader> _readers = [];
    private CancellationTokenSource? _watch;
    private bool _hasBegun;
    private long _id;

    /// <summary>How many read.</summary>
    public int Readers
    {
        get
        {
            lock (_lock) return _readers.Count;
        }
    }

    /// <summary>Lets one more read.</summary>
    public EventReader Join(EventKind wanted)
    {
        lock (_lock)
        {
            var reader = new EventReader(this, wanted, needsSnapshot: _hasBegun); // Else it gets the one with which the watch begins.
            _readers.Add(reader);
            if (_watch is null) Begin();
            return reader;
        }
    }

    public void Leave(EventReader reader)
    {
        CancellationTokenSource? watch = null;
        lock (_lock)
        {
            if (_readers.Remove(reader) && _readers.Count == 0) (watch, _watch, _hasBegun) = (_watch, null, false);
        }

        watch?.Cancel();
    }

    public EventFrame Snapshot(long missed) => EventFrame.Snapshot(Interlocked.Read(ref _id), state.Read(), missed, options.ReadOnly);

    private void Begin()
    {
        var watch = _watch = new CancellationTokenSource();
        _ = Task.Run(() => WatchAsync(watch));
    }

    private async Task WatchAsync(CancellationTokenSource watch)
    {
        using var beat = time.CreateTimer(_ => Array.ForEach(Current(watch), static reader => reader.Beat()), null, BeatInterval, BeatInterval);
        try
        {
            var changes = withTunnels ? state.WatchAsync(watch.Token) : state.WatchWithoutTunnelsAsync(watch.Token);
            await foreach (var change in changes.ConfigureAwait(false)) Tell(watch, change);
        }
        catch (OperationCanceledException) when (watch.IsCancellationRequested)
        {
            // The last reader has left.
        }
#pragma warning disable CA1031 // Nobody waits for this: the readers are sent away, and come back.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(e);
        }
        finally
        {
            GiveUp(watch);
            watch.Dispose();
        }
    }

    private void Tell(CancellationTokenSource watch, StateChange change)
    {
        EventReader[] readers;
        lock (_lock)
        {
            if (_watch != watch) return;
            _hasBegun = true;
            readers = [.. _readers];
        }

        if (change is SnapshotTaken { Missed: var missed })
        {
            foreach (var reader in readers) reader.Restart(missed);
            return;
        }

        var kind = change switch { TunnelOpened or TunnelEnded => EventKind.Tunnel, RequestRefused => EventKind.Refusal, _ => EventKind.State };
        if (!Array.Exists(readers, reader => reader.HearsOf(kind))) return;
        var frame = EventFrame.Of(Interlocked.Increment(ref _id), change, options.ReadOnly);
        foreach (var reader in readers) reader.Tell(frame);
    }

    private EventReader[] Current(CancellationTokenSource watch)
    {
        lock (_lock) return _watch == watch ? [.. _readers] : [];
    }

    private void GiveUp(CancellationTokenSource watch)
    {
        EventReader[] readers;
        lock (_lock)
        {
            if (_watch != watch) return;
            readers = [.. _readers];
            (_watch, _hasBegun) = (null, false);
            _readers.Clear();
        }

        foreach (var reader in readers) reader.Finish();
    }

    [LoggerMessage(EventIds.EventsFailed, LogLevel.Error, "The state could not be followed; all event streams were ended", EventName = "EventsFailed")]
    private partial void LogFailed(Exception exception);
}
