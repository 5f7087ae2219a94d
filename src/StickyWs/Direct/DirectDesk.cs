using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Direct;

/// <summary>
/// The direct lane on one reactor: its clients, the connections to backends that are kept for them, and the time limits of both. Client and backend of an
/// exchange are always on the same reactor, so that it crosses no thread and takes no lock. On the reactor's thread.
/// </summary>
internal sealed class DirectDesk : IResident
{
    private const int LongestSweep = 1000;
    private const int ShortestSweep = 10;

    // A limit may be overrun by this part of it.
    private const int SweepShare = 8;

    private readonly List<DirectClient> _clients = [];
    private readonly List<DirectClient> _settling = [];
    private readonly List<DirectSocket> _unsealed = [];
    private int _interval = LongestSweep;
    private long _nextSweep;

    public DirectDesk(Reactor reactor, DirectServices services)
    {
        (Reactor, Services) = (reactor, services);
        Kept = new KeptLinks(this);
        reactor.Admit(this);
    }

    public Reactor Reactor { get; }

    public DirectServices Services { get; }

    /// <summary>The idle connections to backends.</summary>
    public KeptLinks Kept { get; }

    /// <summary>Memory for one head at a time.</summary>
    public byte[] Scratch { get; } = new byte[128 * 1024];

    /// <summary>The number of the reactor's turn: what is sent in one leaves, at the latest, with the next.</summary>
    public uint Turn { get; private set; }

    /// <summary>The number of clients. Call on the reactor's thread, or while it is known to be idle.</summary>
    public int Clients => _clients.Count;

    public void Add(DirectClient client)
    {
        client.Place = _clients.Count;
        _clients.Add(client);
    }

    public void Remove(DirectClient client)
    {
        var last = _clients[^1];
        (_clients[client.Place], last.Place) = (last, client.Place);
        _clients.RemoveAt(_clients.Count - 1);
        _settling.Remove(client);
    }

    /// <summary>Has a client look again after the next turn, when what it sent is with the kernel.</summary>
    public void Settle(DirectClient client)
    {
        if (!_settling.Contains(client)) _settling.Add(client);
    }

    /// <summary>Has a socket seal, at the end of the turn, what it was given to send.</summary>
    public void AwaitEnd(DirectSocket socket) => _unsealed.Add(socket);

    /// <summary>A limit, in milliseconds, has to be kept from now on.</summary>
    public void Tighten(long limit)
    {
        var interval = (int)Math.Clamp(limit / SweepShare, ShortestSweep, LongestSweep);
        if (interval >= _interval) return;
        _interval = interval;
        _nextSweep = Math.Min(_nextSweep, Reactor.Now + interval);
    }

    public int NextLook()
    {
        if (_settling.Count > 0) return 0;
        return _clients.Count + Kept.Count == 0 ? -1 : (int)Math.Max(0, _nextSweep - Reactor.Now);
    }

    public void Look()
    {
        Turn++;
        EndTurn(); // What settles below waits for it.
        for (var i = _settling.Count - 1; i >= 0; i--)
        {
            var client = _settling[i];
            if (Guarded(client, static client => client.TrySettle())) _settling.Remove(client);
        }

        Sweep();
        EndTurn();
    }

    // The reactor fails the streams one by one.
    public void End(EndReason reason)
    {
    }

    private void Sweep()
    {
        if (Reactor.Now < _nextSweep || _clients.Count + Kept.Count == 0) return;
        _nextSweep = Reactor.Now + _interval;
        for (var i = _clients.Count - 1; i >= 0; i--)
        {
            if (i < _clients.Count) Guarded(_clients[i], static client => client.LookAtTime());
        }

        Kept.Sweep();
    }

    // A stall, or a failure, may lead to more.
    private void EndTurn()
    {
        while (_unsealed.Count > 0)
        {
            var socket = _unsealed[^1];
            _unsealed.RemoveAt(_unsealed.Count - 1);
            try
            {
                socket.EndTurn();
            }
#pragma warning disable CA1031 // As below.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Reactor.Failed(e);
                socket.Abandon();
            }
        }
    }

    // A defect of one client must not keep the others from theirs.
    private bool Guarded(DirectClient client, Func<DirectClient, bool> work)
    {
        try
        {
            return work(client);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Reactor.Failed(e);
            client.Abort();
            return true;
        }
    }
}
