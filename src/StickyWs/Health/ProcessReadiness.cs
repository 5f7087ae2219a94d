namespace StickyWs.Health;

/// <summary>Whether the process is on its way out: whatever is in front should send it nothing new. Never taken back.</summary>
internal sealed class ProcessReadiness
{
    private volatile bool _isLeaving;

    public bool IsLeaving => _isLeaving;

    public void Leave() => _isLeaving = true;
}
