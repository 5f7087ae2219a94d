namespace StickyWs.Observability;

/// <summary>Timers, and other work, that live on.</summary>
internal static class Timers
{
    /// <summary>
    /// Creates a timer that outlives what it is created in, as one that all clients share is created for the first of them. Others keep the execution
    /// context of their creator, with its span and whatever else flows, and what they call runs in it.
    /// </summary>
    public static ITimer CreateLasting(this TimeProvider time, TimerCallback callback, object? state, TimeSpan due, TimeSpan period)
    {
        using var _ = LeaveFlow();
        return time.CreateTimer(callback, state, due, period);
    }

    /// <summary>Until it is disposed, on this thread, what is begun keeps nothing of the execution context.</summary>
    public static AsyncFlowControl? LeaveFlow() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
