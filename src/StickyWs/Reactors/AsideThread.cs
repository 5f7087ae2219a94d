using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>
/// A thread beside a reactor, for what takes its connections long: a step of a TLS handshake is 0.1 to 1 ms of signatures and key exchange. The kernel
/// prefers the reactor, so that whoever has something to send does not wait for whoever arrives. It begins with the first work and ends with its reactor.
/// </summary>
internal sealed class AsideThread(Reactor reactor)
{
    /// <summary>
    /// How much the kernel prefers others (setpriority(2)). Measured: with 0 or 5, the reactor waits for the end of the step; with 10 the kernel takes the
    /// core away from it. Beside a process that wants all of the core it is a tenth of it that is left.
    /// </summary>
    public const int Niceness = 10;

    private readonly object _lock = new();
    private readonly Queue<Action> _work = new();
    private bool _hasBegun;
    private bool _hasEnded;

    /// <summary>Runs work on this thread, in the order of the calls; after its end on the caller's, so that no caller waits forever.</summary>
    public void Run(Action work)
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                _work.Enqueue(work);
                if (_hasBegun) Monitor.Pulse(_lock);
                else Begin();
                return;
            }
        }

        work();
    }

    /// <summary>Awaiting this continues on this thread, behind the work that waits there already.</summary>
    public AsideSwitch SwitchTo() => new(this);

    /// <summary>Ends the thread when it has run what waits.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            Monitor.Pulse(_lock);
        }
    }

    private void Begin()
    {
        _hasBegun = true;
        new Thread(Work) { IsBackground = true, Name = $"StickyWs reactor {reactor.Number}, aside" }.UnsafeStart();
    }

    private void Work()
    {
        _ = Libc.SetPriority(Libc.PRIO_PROCESS, 0, Niceness); // Of the thread, on Linux. Refused, the two take turns.
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
                if (_work.TryDequeue(out var work)) return work;
                if (_hasEnded) return null;
                Monitor.Wait(_lock);
            }
        }
    }
}
