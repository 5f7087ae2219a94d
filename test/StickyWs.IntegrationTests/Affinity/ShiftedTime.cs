namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The real time, with a wall clock that is wrong by so much.</summary>
internal sealed class ShiftedTime(TimeSpan shift) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
}
