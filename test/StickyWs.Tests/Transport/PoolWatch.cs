using System.Diagnostics.Tracing;

namespace StickyWs.Tests.Transport;

/// <summary>Counts what the threads of reactors take from the shared array pool and give back.</summary>
internal sealed class PoolWatch : EventListener
{
    private const int Rented = 1;
    private const int Returned = 3;

    private int _rented;
    private int _returned;

    public int RentedSoFar => Volatile.Read(ref _rented);

    public int ReturnedSoFar => Volatile.Read(ref _returned);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "System.Buffers.ArrayPoolEventSource") EnableEvents(eventSource, EventLevel.Verbose);
    }

    // On the thread that did it.
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (Thread.CurrentThread.Name?.StartsWith("StickyWs reactor", StringComparison.Ordinal) != true) return;
        if (eventData.EventId == Rented) Interlocked.Increment(ref _rented);
        else if (eventData.EventId == Returned) Interlocked.Increment(ref _returned);
    }
}
