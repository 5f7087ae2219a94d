using System.Runtime.CompilerServices;
using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Connections;

/// <summary>
/// The TLS handshakes of a reactor. They are bounded in number, as OpenSSL takes some 50 KB for each: further ones wait in the order of their arrival,
/// and hold nothing but their socket. While the reactor moves what others send, their steps are done beside it, and it goes first: its tunnels do not wait
/// for them. At rest it does them itself, which saves two switches of threads per step, a seventh of a handshake.
/// </summary>
internal sealed class HandshakePlaces : IResident
{
    /// <summary>Handshakes under way, some 25 MB.</summary>
    public const int MostUnderWay = 512;

    /// <summary>
    /// Milliseconds after which a client that is waited for loses its place to one that waits; what it has waited for its turns does not count. A client
    /// that does its part needs one round trip, or two. Clients that begin and go silent would have to begin <see cref="MostUnderWay"/> handshakes in this
    /// time to keep the others waiting.
    /// </summary>
    public const int LongestUnderPressure = 1000;

    // Milliseconds between two looks for such a client, while others wait.
    private const int TimeBetweenLooks = 10;

    private static readonly ConditionalWeakTable<Reactor, HandshakePlaces> Known = [];

    private readonly int _most;
    private readonly Lock _lock = new();
    private readonly LinkedList<HandshakePlace> _waiting = new();
    private readonly LinkedList<HandshakePlace> _underWay = new();
    private long _lookedAt = -1;
    private bool _isOver;

    public HandshakePlaces(Reactor reactor, int most = MostUnderWay)
    {
        (Reactor, _most) = (reactor, most);
        reactor.Admit(this);
    }

    /// <summary>The handshakes of this reactor.</summary>
    public static HandshakePlaces Of(Reactor reactor) => Known.GetValue(reactor, static reactor => new HandshakePlaces(reactor));

    /// <summary>The reactor of their connections.</summary>
    public Reactor Reactor { get; }

    /// <inheritdoc cref="Reactor.Clock"/>
    public long Clock => Reactor.Clock;

    /// <summary>Handshakes that have a place.</summary>
    public int UnderWay
    {
        get
        {
            lock (_lock) return _underWay.Count;
        }
    }

    /// <summary>Gives a place, now or later (<see cref="HandshakePlace.Give"/>).</summary>
    /// <returns>Whether now.</returns>
    public bool TryGive(HandshakePlace place)
    {
        lock (_lock)
        {
            if (_isOver) return true; // Nobody waits there: its deadline, or the kernel, ends it.
            place.Node = new LinkedListNode<HandshakePlace>(place);
            if (_underWay.Count < _most)
            {
                Admit(place.Node);
                return true;
            }

            place.AwaitGiven();
            _waiting.AddLast(place.Node);
        }

        WakeUp();
        return false;
    }

    /// <summary>Takes a place back.</summary>
    public void Leave(HandshakePlace place)
    {
        LinkedListNode<HandshakePlace> next;
        lock (_lock)
        {
            if (place.Node is not { List: { } list } node) return;
            list.Remove(node);
            if (list == _waiting || _waiting.First is null) return;
            next = _waiting.First;
            _waiting.RemoveFirst();
            Admit(next);
        }

        next.Value.Give();
        WakeUp();
    }

    /// <summary>What a handshake has waited for its turn is not its client's fault.</summary>
    public void Excuse(HandshakePlace place, long askedAt)
    {
        lock (_lock) place.Since += Reactor.Clock - askedAt;
    }

    public int NextLook()
    {
        lock (_lock) return _waiting.Count == 0 ? -1 : TimeBetweenLooks;
    }

    public void Look() => Slowest()?.MakeWay();

    public void End(EndReason reason)
    {
        HandshakePlace[] left;
        lock (_lock)
        {
            _isOver = true;
            left = [.. _waiting];
        }

        foreach (var place in left) place.Give();
    }

    private void Admit(LinkedListNode<HandshakePlace> node)
    {
        node.Value.Since = Reactor.Clock; // The reactor may have slept since its last turn.
        _underWay.AddLast(node);
    }

    // The reactor asks when to look next; its own thread does anyway.
    private void WakeUp() => Reactor.Run(static () => { });

    // One per turn of the reactor and millisecond. One that was told may still be within a call, such as that of a judge.
    private HandshakePlace? Slowest()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0 || _lookedAt == Reactor.Now) return null;
            _lookedAt = Reactor.Now;
            HandshakePlace? slowest = null;
            foreach (var place in _underWay)
            {
                if (place is { WaitsForItsTurn: false, HasMadeWay: false } && place.Since < (slowest?.Since ?? long.MaxValue)) slowest = place;
            }

            return slowest is not null && Reactor.Now - slowest.Since >= LongestUnderPressure ? slowest : null;
        }
    }
}
