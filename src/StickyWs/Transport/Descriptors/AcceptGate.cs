namespace StickyWs.Transport;

/// <summary>Pauses one listener while descriptors are short. Used by that listener's accept loop only, without concurrency.</summary>
internal sealed class AcceptGate(DescriptorBudget budget)
{
    /// <summary>How long a listener pauses before it asks again.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private bool _isHeld;

    /// <summary>Whether another connection may be accepted.</summary>
    public bool IsOpen
    {
        get
        {
            if (budget.HasRoom) return true;
            Hold(true);
            budget.SayShort();
            return false;
        }
    }

    /// <summary>The backlog is empty, or will no longer be accepted from.</summary>
    public void Drained() => Hold(false);

    private void Hold(bool isHeld)
    {
        if (Interlocked.Exchange(ref _isHeld, isHeld) == isHeld) return;
        if (isHeld) budget.Hold();
        else budget.LetGo();
    }
}
