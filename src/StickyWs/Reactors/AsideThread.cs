using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>
/// A thread beside a reactor, for what takes its connections long: a step of a TLS handshake is 0.1 to 1 ms of signatures and key exchange. The kernel
/// prefers the reactor, so that whoever has something to send does not wait for whoever arrives. It begins with the first work and ends with its reactor.
/// Threads inherit the niceness of the one that starts them, so nothing here may queue work to the thread pool, which may need a thread for it. And a
/// garbage collection that the workstation's collector begins here runs with it, so what is done here allocates little.
/// </summary>
/// <param name="reactor">The reactor.</param>
/// <param name="start">How the thread is started, for tests.</param>
internal sealed class AsideThread(Reactor reactor, Action<Thread>? start = null)
{
    /// <summary>
    /// How much the kernel prefers the reactor (nice(2)). Measured: with 0 or 5, the reactor waits for the end of the step; with 10 the kernel takes the
    /// core away from it. Beside a process that wants all of the core it is a tenth of it that is left.
    /// </summary>
    public const int Niceness = 10;

    /// <summary>How much of the work that goes first is done in a row while other work waits.</summary>
    public const int MostSoonerInARow = 4;

    private readonly object _lock = new();
    private readonly Queue<Action> _work = new();
    private readonly Queue<Action> _sooner = new();
    private readonly Action<Thread> _start = start ?? (static thread => thread.UnsafeStart());
    private int _inARow;
    private bool _hasBegun;
    private bool _hasEnded;
    private bool _hasFailed;

    /// <summary>
    /// Runs work on this thread, in the order of the calls. After its end, or if it cannot be started, on the caller's, so that no caller waits forever.
    /// </summary>
    /// <param name="work">The work.</param>
    /// <param name="isSooner">Whether it goes before work that is not, of which there may be as much as clients please.</param>
    public void Run(Action work, bool isSooner = false)
    {
        lock (_lock)
        {
            if (!_hasEnded && (_hasBegun || TryBegin()))
            {
                (isSooner ? _sooner : _work).Enqueue(work);
                Monitor.Pulse(_lock);
                return;
            }
        }

        work();
    }

    /// <summary>Awaiting this continues on this thread, behind the work that waits there already.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    public AsideSwitch SwitchTo(bool isSooner = false) => new(this, isSooner);

    /// <summary>Ends the thread when it has run what waits.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            Monitor.Pulse(_lock);
        }
    }

    // The system may have no thread left. There may be one when the next work comes.
    private bool TryBegin()
    {
        try
        {
            _start(new Thread(Work) { IsBackground = true, Name = $"StickyWs reactor {reactor.Number}, aside" });
            return _hasBegun = true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            if (!_hasFailed) reactor.Failed(e);
            _hasFailed = true;
            return false;
        }
    }

    private void Work()
    {
        _ = Libc.Nice(Niceness); // Of the thread, on Linux. Refused, the two take turns.
        while (Next() is { } work)
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // One failure must not end the thread that serves all the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                reactor.Failed(e);
            }
        }
    }

    private Action? Next()
    {
        lock (_lock)
        {
            while (true)
            {
                if ((_inARow < MostSoonerInARow || _work.Count == 0) && _sooner.TryDequeue(out var work))
                {
                    _inARow++;
                    return work;
                }

                _inARow = 0;
                if (_work.TryDequeue(out work)) return work;
                if (_hasEnded) return null;
                Monitor.Wait(_lock);
            }
        }
    }
}
