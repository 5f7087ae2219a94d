using System.Diagnostics.Tracing;

namespace StickyWs.Tests.Reactors;

/// <summary>Counts what the threads of reactors take from the shared array pool and give back: the bytes that sockets could not take yet.</summary>
internal sealed class PoolWatch : EventListener
{
    private const int Rented = 1;
    private const int Returned = 3;

    private int _rented;
    private int _returned;
    private long _held;
    private long _mostHeld;

    public int RentedSoFar => Volatile.Read(ref _rented);

    public int ReturnedSoFar => Volatile.Read(ref _returned);

    /// <summary>The most bytes that they have held at a time.</summary>
    public long MostHeld => Volatile.Read(ref _mostHeld);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "System.Buffers.ArrayPoolEventSource") EnableEvents(eventSource, EventLevel.Verbose);
    }

    // On the thread that did it.
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (Thread.CurrentThread.Name?.StartsWith("StickyWs reactor", StringComparison.Ordinal) != true) return;
        if (eventData.EventId is not (Rented or Returned)) return;
        Interlocked.Increment(ref eventData.EventId == Rented ? ref _rented : ref _returned);
        var size = (int)eventData.Payload![1]!;
        var held = Interlocked.Add(ref _held, eventData.EventId == Rented ? size : -size);
        var most = Volatile.Read(ref _mostHeld);
        while (held > most && Interlocked.CompareExchange(ref _mostHeld, held, most) is var seen && seen != most) most = seen;
    }
}
