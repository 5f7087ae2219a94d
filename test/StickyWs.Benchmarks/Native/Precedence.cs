namespace StickyWs.Benchmarks.Native;

/// <summary>Who runs first on a core.</summary>
internal static unsafe class Precedence
{
    private const int CallingThread = 0;
    private const int Idle = 5; // SCHED_IDLE (sched(7)).

    /// <summary>From now on the calling thread runs only while no other wants its core. It cannot be undone, so it should be a thread of its own.</summary>
    public static void GiveAway()
    {
        var priority = 0;
        Kernel.Checked(Libc.SetScheduler(CallingThread, Idle, &priority), "sched_setscheduler");
    }
}
