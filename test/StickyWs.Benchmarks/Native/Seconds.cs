using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Native;

/// <summary>A time or duration (<c>timespec</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Seconds
{
    public long Whole;
    public long Nanoseconds;

    public readonly double Total => Whole + (Nanoseconds / 1e9);
}
