using StickyWs.Observability;

namespace StickyWs.Reactors;

// The thread. It runs until it is told to stop: if it ended early, all its sockets would be stuck, and an unhandled exception would end the process.
internal abstract partial class Reactor
{
    private const long TimeBetweenReports = 60_000;
    private const int MostPostedPerTurn = 64;
    private const int MostBegunPerTurn = 4;

    // Milliseconds. Whoever sends ten messages a second keeps what takes long off the thread.
    private const int RestTime = 100;

    private static readonly TimeSpan AilingRest = TimeSpan.FromMilliseconds(100);

    private long? _reportedAt;
    private long _movedAt;

    /// <summary>The clock of <see cref="Now"/>, as of this moment. From any thread.</summary>
    public long Clock => Milliseconds();

    /// <summary>Whether nothing of clients or backends was passed on for a while, so that what takes long delays nobody on this thread. From any
    /// thread.</summary>
    public bool IsAtRest => Now - Volatile.Read(ref _movedAt) > RestTime;

    /// <summary>Something of a client or backend is passed on, and more may follow. On the reactor's thread.</summary>
    public void NoteMoved() => Volatile.Write(ref _movedAt, Now);

    /// <summary>Reports what should never happen. One bad tunnel must not take others down, and neither must the report of it.</summary>
    public void Failed(Exception exception)
    {
        try
        {
            _onFailure(exception);
        }
#pragma warning disable CA1031 // The report is a log line, and the log itself may be what failed.
        catch (Exception)
#pragma warning restore CA1031
        {
            // There is nowhere left to report this.
        }
    }

    /// <summary>Like <see cref="Failed"/>, for what may fail in every turn: reports at most once a minute.</summary>
    protected void Report(Exception exception)
    {
        var now = Milliseconds();
        if (now - _reportedAt < TimeBetweenReports) return;
        _reportedAt = now;
        Failed(exception);
    }

    /// <summary>Whether work that takes long may begin at once, in this turn.</summary>
    public bool TryBegin()
    {
        if (!IsCurrent || _later.Count > 0 || _beganNow >= MostBegunPerTurn) return false;
        _beganNow++;
        return true;
    }

    /// <summary>Runs work that takes long, in its turn. From any thread.</summary>
    public void RunInTurn(Action work) => Run(() => Begin(work));

    private void Begin(Action work)
    {
        if (IsCurrent && !TryBegin()) _later.Enqueue(work);
        else work(); // Also after the end, on the caller's thread.
    }

    private long Milliseconds() => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    private void Run()
    {
        try
        {
            Begin();
            _begun.SetResult();
        }
#pragma warning disable CA1031 // Passed on to the caller of Start.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Finish();
            _begun.SetException(e);
            return;
        }

        while (!_isStopping)
        {
            TakeTurn();
            RunPosted(MostPostedPerTurn);
            RunLater(MostBegunPerTurn);
            Look();
        }

        RunPosted(int.MaxValue);
        RunLater(int.MaxValue);
        Guarded(EndStreams);
        Guarded(End);
        Finish();
    }

    private void TakeTurn()
    {
        try
        {
            _isAiling = !Turn(_isAiling || _later.Count > 0 ? 0 : NextLook()); // While ailing, do not wait: recovery shows at once.
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            _isAiling = true;
            Report(e);
        }

        if (_isAiling) Rest();
    }

    private int NextLook()
    {
        var next = -1;
        foreach (var resident in _residents)
        {
            if (resident.NextLook() is >= 0 and var look) next = next < 0 ? look : Math.Min(next, look);
        }

        return next;
    }

    private void Look()
    {
        try
        {
            foreach (var resident in _residents) resident.Look();
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Report(e);
        }
    }

    // What fails in every turn must neither spin nor flood the log.
    private void Rest()
    {
        lock (_posted)
        {
            if (!_isStopping) Monitor.Wait(_posted, AilingRest);
        }

        Now = Milliseconds();
    }

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // One failure must not end the thread that serves all the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
        }
    }

    private void EndStreams() => EndStreams(EndReason.Shutdown);

    private void Finish()
    {
        Guarded(Release);
        Aside.End();
        _hasEnded = true;
        RunAfterEnd();
    }

    // Runs what was posted after the thread had ended. Streams that begin here end at once.
    private void RunAfterEnd()
    {
        lock (_afterEnd)
        {
            RunPosted(int.MaxValue);
            RunLater(int.MaxValue);
            Guarded(EndStreams);
        }
    }

    // What is left waits for one turn of the sockets: others may post faster than this thread runs.
    private void RunPosted(int most)
    {
        for (var left = most; left > 0 && _posted.TryDequeue(out var work); left--) Guarded(work);
    }

    private void RunLater(int most)
    {
        for (_beganNow = 0; _beganNow < most && _later.TryDequeue(out var work); _beganNow++) Guarded(work);
    }
}
