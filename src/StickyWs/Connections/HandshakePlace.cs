using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>The place of one TLS handshake among those of its reactor. Given back when it is disposed of.</summary>
/// <param name="turns">The handshakes of the reactor.</param>
/// <param name="deadline">Ends the handshake; also cancelled if it has to make way for others.</param>
internal sealed class HandshakePlace(HandshakeTurns turns, CancellationTokenSource deadline) : IDisposable
{
    private readonly Readiness _next = new();

    /// <summary>Whether it had to make way for others.</summary>
    public bool HasMadeWay { get; private set; }

    /// <summary>When it got its place, on the reactor's clock. Guarded by the turns, like all below.</summary>
    public long Since { get; set; }

    /// <summary>Whether it waits for its turn, and not for its client.</summary>
    public bool IsReady { get; set; }

    /// <summary>Where it is in the order of arrival.</summary>
    public LinkedListNode<HandshakePlace>? Node { get; set; }

    /// <summary>Waits until this handshake may do its next step; the first time also for a place. On the reactor's thread, and continues there.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed, or it had to make way.</exception>
    public ValueTask TakeTurnAsync()
    {
        turns.Ask(this);
        return _next.WaitAsync(deadline.Token);
    }

    /// <summary>Its turn has come.</summary>
    public void Begin() => _next.Signal();

    /// <summary>Ends the handshake.</summary>
    public void MakeWay()
    {
        HasMadeWay = true;
        try
        {
            deadline.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    public void Dispose() => turns.Leave(this);
}
