namespace StickyWs.Transport;

/// <summary>Holds one listener back while descriptors are short. Asked by whoever accepts, one at a time.</summary>
internal sealed class AcceptGate(DescriptorBudget budget)
{
    /// <summary>How long a listener rests before it asks again.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private bool _isHeld;

    /// <summary>Whether one more may be accepted.</summary>
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

    /// <summary>Nobody waits in the backlog, or nobody will be accepted from it any more.</summary>
    public void Drained() => Hold(false);

    private void Hold(bool isHeld)
    {
        if (Interlocked.Exchange(ref _isHeld, isHeld) == isHeld) return;
        if (isHeld) budget.Hold();
        else budget.LetGo();
    }
}
