using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using StickyWs.Kernel;

namespace StickyWs.Transport;

/// <summary>
/// What a stopped listener leaves to its successor: the socket, which listens all the while, so that new connections wait in its backlog; and the
/// connections that were being served. The successor goes on with the same object. Safe for concurrent use.
/// </summary>
internal sealed class ParkedListener(Socket listening)
{
    private readonly Lock _lock = new();
    private readonly Queue<IHandedOver> _connections = [];
    private Arrivals[] _earlier = [];
    private Action? _arrived;
    private ParkedListener? _next;
    private bool _isClosed;

    public Socket Listening => listening;

    /// <summary>How many connections are waiting.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _connections.Count;
        }
    }

    /// <summary>Those of earlier listeners that were not over when it was parked.</summary>
    public IReadOnlyList<Arrivals> Earlier
    {
        get
        {
            lock (_lock) return _earlier;
        }
    }

    /// <summary>Leaves connections that are still being served to the successor: it ends them when it is closed.</summary>
    public void Leave(IEnumerable<Arrivals> earlier)
    {
        lock (_lock) _earlier = [.. earlier.Where(arrivals => arrivals.HasServed)];
    }

    /// <summary>Called by the successor.</summary>
    /// <param name="arrived">Called for each connection that comes later.</param>
    public void TakeOver(Action arrived)
    {
        lock (_lock) _arrived = arrived;
    }

    /// <summary>Takes a connection that Kestrel has let go, or has not seen yet. If nobody comes any more, it is aborted.</summary>
    public void Add(IHandedOver connection)
    {
        Action? arrived;
        ParkedListener? next;
        bool isClosed;
        lock (_lock)
        {
            (arrived, next, isClosed) = (_arrived, _next, _isClosed);
            if (!isClosed && next is null) _connections.Enqueue(connection);
        }

        if (isClosed) connection.Drop();
        else if (next is not null) next.Add(connection);
        else arrived?.Invoke();
    }

    /// <summary>Passes the connections that wait here, and all that are still to come, to the next.</summary>
    public void MoveTo(ParkedListener next)
    {
        lock (_lock) _next = next;
        while (TryTake(out var connection)) next.Add(connection);
    }

    public bool TryTake([NotNullWhen(true)] out IHandedOver? connection)
    {
        lock (_lock) return _connections.TryDequeue(out connection);
    }

    /// <summary>Closes the socket, and aborts the connections that still wait.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
        // With io_uring a pending poll keeps the socket open beyond its descriptor, until the reactor, which may be busy, has ended it.
        _ = Libc.Shutdown((int)listening.Handle, Libc.SHUT_RD);
        listening.Dispose();
        foreach (var arrivals in Earlier) arrivals.Stop();
        while (TryTake(out var connection)) connection.Drop();
    }
}
