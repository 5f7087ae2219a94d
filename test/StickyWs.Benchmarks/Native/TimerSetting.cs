using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Native;

/// <summary>When a timer fires first, and how often then (<c>itimerspec</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimerSetting
{
    public Seconds Interval;
    public Seconds First;
}
