using System.Runtime.CompilerServices;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>The place of one TLS handshake among those of its reactor. Given back when it is disposed of.</summary>
/// <param name="places">The handshakes of the reactor.</param>
/// <param name="deadline">Ends the handshake; also cancelled if it has to make way for others.</param>
internal sealed class HandshakePlace(HandshakePlaces places, CancellationTokenSource deadline) : IDisposable
{
    private readonly Readiness _given = new();
    private volatile bool _waitsForItsTurn;

    /// <summary>Whether it had to make way for others.</summary>
    public bool HasMadeWay { get; private set; }

    /// <summary>Whether it waits for its turn, and not for its client.</summary>
    public bool WaitsForItsTurn => _waitsForItsTurn;

    /// <summary>When it got its place, on the reactor's clock. Guarded by the places, like all below.</summary>
    public long Since { get; set; }

    /// <summary>Where it is in the order of arrival.</summary>
    public LinkedListNode<HandshakePlace>? Node { get; set; }

    /// <summary>Waits for a place. Once, at first.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed.</exception>
    public ValueTask TakeAsync() => places.TryGive(this) ? default : _given.WaitAsync(deadline.Token);

    /// <summary>Waits for its turn. Continues on the thread beside the reactor.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed, or it had to make way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask StepAsideAsync()
    {
        _waitsForItsTurn = true;
        await places.Aside.SwitchTo();
        _waitsForItsTurn = false;
        deadline.Token.ThrowIfCancellationRequested();
    }

    /// <summary>It has its place.</summary>
    public void Give() => _given.Signal();

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

    public void Dispose() => places.Leave(this);
}
