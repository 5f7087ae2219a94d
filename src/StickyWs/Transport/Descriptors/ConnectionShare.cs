namespace StickyWs.Transport;

/// <summary>
/// The descriptors reserved for an accepted connection: its own, and one for its backend. A feature of the connection if there is a limit.
/// </summary>
internal sealed class ConnectionShare(DescriptorBudget budget)
{
    private const int Undecided = 0;
    private const int Plain = 1;
    private const int Settled = 2;

    private int _state;

    /// <summary>The connection carries plain HTTP, whose connections to backends are shared.</summary>
    public void Decide()
    {
        if (Interlocked.CompareExchange(ref _state, Plain, Undecided) == Undecided) budget.Decide();
    }

    /// <summary>The connection has its backend, or has ended.</summary>
    public void Settle()
    {
        var before = Interlocked.Exchange(ref _state, Settled);
        if (before != Settled) budget.Settle(wasPlain: before == Plain);
    }
}
