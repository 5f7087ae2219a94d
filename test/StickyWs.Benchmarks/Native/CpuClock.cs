namespace StickyWs.Benchmarks.Native;

/// <summary>The CPU clock of another process: user and system time of all its threads, also of those that have ended, in nanoseconds.</summary>
internal static unsafe class CpuClock
{
    private const int Scheduler = 2;

    /// <summary>Seconds so far (clock_getcpuclockid(3); the clock's number is made of the process's, as the kernel defines it).</summary>
    public static double Seconds(int process)
    {
        Seconds time;
        Kernel.Checked(Libc.GetTime((~process << 3) | Scheduler, &time), "clock_gettime");
        return time.Total;
    }
}
