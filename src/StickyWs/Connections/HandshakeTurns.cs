using System.Diagnostics;
using System.Runtime.CompilerServices;
using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Connections;

/// <summary>
/// The TLS handshakes of a reactor. They are bounded in number, as OpenSSL takes some 50 KB for each: further ones wait in the order of their arrival,
/// and hold nothing but their socket. They are bounded in time: a step takes 0.1 to 1 ms of signatures, so some are done after each turn of the
/// reactor, and its tunnels have their turn in between.
/// </summary>
internal sealed class HandshakeTurns : IResident
{
    /// <summary>Handshakes under way, some 25 MB.</summary>
    public const int MostUnderWay = 512;

    /// <summary>
    /// Milliseconds after which a client that is waited for loses its place to one that waits. A client that does its part needs one round trip, or
    /// two. Clients that begin and go silent would have to begin <see cref="MostUnderWay"/> handshakes in this time to keep the others waiting.
    /// </summary>
    public const int LongestUnderPressure = 1000;

    private static readonly TimeSpan MostPerTurn = TimeSpan.FromMilliseconds(0.25);
    private static readonly ConditionalWeakTable<Reactor, HandshakeTurns> Known = [];

    private readonly Reactor _reactor;
    private readonly int _most;
    private readonly Lock _lock = new();
    private readonly LinkedList<HandshakePlace> _waiting = new();
    private readonly LinkedList<HandshakePlace> _underWay = new();
    private readonly Queue<HandshakePlace> _ready = new();
    private bool _isOver;

    public HandshakeTurns(Reactor reactor, int most = MostUnderWay)
    {
        (_reactor, _most) = (reactor, most);
        reactor.Admit(this);
    }

    /// <summary>The handshakes of this reactor.</summary>
    public static HandshakeTurns Of(Reactor reactor) => Known.GetValue(reactor, static reactor => new HandshakeTurns(reactor));

    /// <summary>Handshakes that have a place.</summary>
    public int UnderWay
    {
        get
        {
            lock (_lock) return _underWay.Count;
        }
    }

    /// <summary>Asks for a handshake's next turn. On the reactor's thread.</summary>
    public void Ask(HandshakePlace place)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                place.Begin(); // Nobody waits there: its deadline, or the kernel, ends it.
                return;
            }

            if (place.Node is null) Join(place);
            else if (place.Node.List == _underWay) Queue(place);
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(HandshakePlace place)
    {
        lock (_lock)
        {
            if (place.Node is not { List: { } list } node) return;
            list.Remove(node);
            if (list == _waiting || _waiting.First is not { } next) return;
            _waiting.RemoveFirst();
            Admit(next);
        }

        _reactor.Run(static () => { }); // Wakes it up, unless this is its thread.
    }

    public int NextLook()
    {
        lock (_lock)
        {
            if (_ready.Count > 0) return 0;
            return _waiting.Count == 0 ? -1 : (int)Math.Max(_underWay.First!.Value.Since + LongestUnderPressure - _reactor.Now, 1);
        }
    }

    public void Look()
    {
        var begun = Stopwatch.GetTimestamp();
        while (TakeReady() is { } place)
        {
            place.Begin();
            if (Stopwatch.GetElapsedTime(begun) >= MostPerTurn) break;
        }

        Slowest()?.MakeWay();
    }

    public void End(EndReason reason)
    {
        HandshakePlace[] left;
        lock (_lock)
        {
            _isOver = true;
            left = [.. _waiting, .. _ready];
            _ready.Clear();
        }

        foreach (var place in left) place.Begin();
    }

    private void Join(HandshakePlace place)
    {
        place.Node = new LinkedListNode<HandshakePlace>(place);
        if (_underWay.Count < _most) Admit(place.Node);
        else _waiting.AddLast(place.Node);
    }

    private void Admit(LinkedListNode<HandshakePlace> node)
    {
        node.Value.Since = _reactor.Now;
        _underWay.AddLast(node);
        Queue(node.Value);
    }

    private void Queue(HandshakePlace place)
    {
        place.IsReady = true;
        _ready.Enqueue(place);
    }

    private HandshakePlace? TakeReady()
    {
        lock (_lock)
        {
            while (_ready.TryDequeue(out var place))
            {
                place.IsReady = false;
                if (place.Node!.List == _underWay) return place; // Otherwise it has left.
            }

            return null;
        }
    }

    // One per turn of the reactor. A turn that comes late is not the client's fault. One that was told may still be within a call, such as that of a judge.
    private HandshakePlace? Slowest()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0) return null;
            foreach (var place in _underWay)
            {
                if (_reactor.Now - place.Since < LongestUnderPressure) return null;
                if (place is { IsReady: false, HasMadeWay: false }) return place;
            }

            return null;
        }
    }
}
