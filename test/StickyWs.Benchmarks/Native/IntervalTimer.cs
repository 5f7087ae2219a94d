namespace StickyWs.Benchmarks.Native;

/// <summary>A timer that can be waited for with sockets, exact to microseconds where a wait's own limit is exact to milliseconds.</summary>
internal sealed unsafe class IntervalTimer : IDisposable
{
    private const int Monotonic = 1;
    private const int NonBlocking = 0x800;

    public IntervalTimer(TimeSpan interval)
    {
        var step = new Seconds { Whole = interval.Ticks / TimeSpan.TicksPerSecond, Nanoseconds = interval.Ticks % TimeSpan.TicksPerSecond * 100 };
        var setting = new TimerSetting { Interval = step, First = step };
        Kernel.Checked(Libc.TimerSet(File, 0, &setting, null), "timerfd_settime");
    }

    public int File { get; } = Kernel.Checked(Libc.TimerCreate(Monotonic, NonBlocking), "timerfd_create");

    /// <summary>How often it has fired since it was asked last.</summary>
    public int Expired()
    {
        ulong count = 0;
        return Libc.Read(File, &count, sizeof(ulong)) == sizeof(ulong) ? (int)count : 0;
    }

    public void Dispose() => Libc.Close(File);
}
