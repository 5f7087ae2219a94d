namespace StickyWs.Pinning;

/// <summary>Whole seconds since this process began to keep pins.</summary>
internal sealed class PinClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public int Now => (int)time.GetElapsedTime(_start).TotalSeconds;
}
