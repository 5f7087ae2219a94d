using StickyWs.Observability;

namespace StickyWs.Reactors;

// The thread. It lives until it is to stop: one that ends takes all that it serves with it, and an exception that nobody catches the whole process.
internal abstract partial class Reactor
{
    private const long TimeBetweenReports = 60_000;

    private static readonly TimeSpan RestOfTheAiling = TimeSpan.FromMilliseconds(100);

    private long? _reportedAt;

    /// <summary>As <see cref="Failed"/>, for what may fail with every turn: once a minute.</summary>
    protected void Report(Exception exception)
    {
        var now = Milliseconds();
        if (now - _reportedAt < TimeBetweenReports) return;
        _reportedAt = now;
        Failed(exception);
    }

    private long Milliseconds() => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    private void Run()
    {
        try
        {
            Begin();
            _begun.SetResult();
        }
#pragma warning disable CA1031 // Whoever starts it is told.
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
            RunPosted();
            Look();
        }

        RunPosted();
        Guarded(EndStreams);
        Guarded(End);
        Finish();
    }

    private void TakeTurn()
    {
        try
        {
            _isAiling = !Turn(_isAiling ? 0 : NextLook()); // One that is well again says so at once.
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

    // Whatever fails every time must neither keep the thread busy nor fill the log.
    private void Rest()
    {
        lock (_posted)
        {
            if (!_isStopping) Monitor.Wait(_posted, RestOfTheAiling);
        }

        Now = Milliseconds();
    }

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // The thread serves many others.
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
        _hasEnded = true;
        RunBehindTheEnd();
    }

    // What was left for the thread when it had ended. Streams that begin with it end at once.
    private void RunBehindTheEnd()
    {
        lock (_behindTheEnd)
        {
            RunPosted();
            Guarded(EndStreams);
        }
    }

    private void RunPosted()
    {
        while (_posted.TryDequeue(out var work)) Guarded(work);
    }
}
