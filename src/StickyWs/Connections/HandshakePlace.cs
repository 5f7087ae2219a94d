using System.Runtime.CompilerServices;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>The place of one TLS handshake among those of its reactor. Given back when it is disposed of.</summary>
/// <param name="places">The handshakes of the reactor.</param>
/// <param name="deadline">Ends the handshake; also cancelled if it has to make way for others.</param>
internal sealed class HandshakePlace(HandshakePlaces places, CancellationTokenSource deadline) : IDisposable
{
    private Readiness? _given; // Of one that waits.
    private volatile bool _waitsForItsTurn;

    /// <summary>Whether it had to make way for others.</summary>
    public bool HasMadeWay { get; private set; }

    /// <summary>Whether it waits for its turn, and not for its client.</summary>
    public bool WaitsForItsTurn => _waitsForItsTurn;

    /// <summary>When it got its place, on the reactor's clock, later by what it has waited for turns. Guarded by the places, like all below.</summary>
    public long Since { get; set; }

    /// <summary>Where it is in the order of arrival.</summary>
    public LinkedListNode<HandshakePlace>? Node { get; set; }

    /// <summary>Waits for a place. Once, at first.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed.</exception>
    public ValueTask TakeAsync() => places.TryGive(this) ? default : _given!.WaitAsync(deadline.Token);

    /// <summary>Waits for its turn. Continues on the reactor's thread while that has nothing else to do, else on the thread beside it.</summary>
    /// <param name="callsOut">Whether the step may call the application, or the network: then it continues on the thread pool. Not from the thread
    /// beside the reactor, whose niceness a new thread of the pool would inherit.</param>
    /// <exception cref="OperationCanceledException">The deadline has passed, or it had to make way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask TakeTurnAsync(bool callsOut = false)
    {
        var askedAt = places.Clock;
        _waitsForItsTurn = true;
        if (callsOut) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        else if (places.Reactor.IsAtRest) await places.Reactor.SwitchTo(inTurn: true);
        else await places.Reactor.Aside.SwitchTo();
        places.Excuse(this, askedAt);
        _waitsForItsTurn = false;
        deadline.Token.ThrowIfCancellationRequested();
    }

    /// <summary>It will be told when it has its place.</summary>
    public void AwaitGiven() => _given = new Readiness();

    /// <summary>It has its place.</summary>
    public void Give() => _given!.Signal();

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
