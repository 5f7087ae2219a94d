namespace StickyWs.Transport;

/// <summary>The time of one listener: its connections learn here that it is over, and which listener comes next.</summary>
#pragma warning disable CA1001 // A source without a timer: it holds nothing but memory.
internal sealed class ListenerTerm
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _over = new();

    /// <summary>Fires when a successor takes the connections over. Never for a listener that is closed.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Where they wait for the successor; set before <see cref="Over"/> fires.</summary>
    public ParkedListener? Successor { get; private set; }

    public void End(ParkedListener successor)
    {
        Successor = successor;
        _over.Cancel();
    }
}
