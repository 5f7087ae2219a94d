namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The real time, whose monotonic clock a test can set forward. Timers do not notice.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private long _ahead;

    public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
}
