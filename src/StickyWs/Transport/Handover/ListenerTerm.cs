namespace StickyWs.Transport;

/// <summary>
/// The time of one listener. Its connections learn here who serves them first, when it is over, and which listener comes next.
/// </summary>
#pragma warning disable CA1001 // Sources without timers: they hold nothing but memory.
internal sealed class ListenerTerm
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _stopping = new();
    private volatile IArrivalService? _service;

    /// <summary>Serves connections before Kestrel knows of them. Known from the first connection on, which Kestrel has led to it.</summary>
    public IArrivalService? Service
    {
        get => _service;
        set => _service = value;
    }

    /// <summary>The listener's connections that Kestrel has not asked for; set by the listener.</summary>
    public Arrivals? Arrivals { get; set; }

    /// <summary>Fires when a successor takes the connections over. Never for a listener that is closed.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Fires when the listener is closed: clients are no longer waited for.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Where they wait for the successor; set before <see cref="Over"/> fires.</summary>
    public ParkedListener? Successor { get; private set; }

    public void End(ParkedListener successor)
    {
        Successor = successor;
        _over.Cancel();
    }

    public void Stop() => _stopping.Cancel();
}
