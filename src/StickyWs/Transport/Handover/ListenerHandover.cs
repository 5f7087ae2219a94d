using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Transport;

/// <summary>
/// When the configuration of an endpoint changes, or the file of its certificate, Kestrel stops its listener and binds another one. In between, the
/// listening socket and the connections are kept here, so that no client notices. Safe for concurrent use.
/// </summary>
/// <param name="isKept">Whether an address that Kestrel no longer listens on is about to be bound again.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs what was not bound again.</param>
internal sealed partial class ListenerHandover(Func<IPEndPoint, bool> isKept, TimeProvider time, ILogger<ListenerHandover> logger) : IDisposable
{
    /// <summary>
    /// How long an endpoint may take to come back. Kestrel gives the connections of what it stops 5 s, and one more after their abort; connections that
    /// cannot move are among them.
    /// </summary>
    public static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPEndPoint, (ParkedListener Listener, ITimer Timer)> _parked = [];
    private volatile bool _hasMoved;

    /// <summary>Whether any connection has outlived its listener: only then is it worth asking.</summary>
    public bool HasMoved => _hasMoved;

    /// <summary>Keeps a listening socket for the next listener on its address, if there will be one.</summary>
    /// <param name="endPoint">What it is bound to.</param>
    /// <param name="listening">The socket; owned by the result.</param>
    /// <returns><see langword="null"/> if the endpoint was removed, or the server stops: then the caller closes it.</returns>
    public ParkedListener? TryPark(IPEndPoint endPoint, Socket listening)
    {
        if (!isKept(endPoint)) return null;
        var parked = new ParkedListener(listening);
        lock (_lock)
        {
            if (_parked.ContainsKey(endPoint)) return null; // Several sockets on one address, by options of the application's.
            _parked.Add(endPoint, (parked, time.CreateTimer(_ => GiveUp(endPoint), null, LongestGap, Timeout.InfiniteTimeSpan)));
        }


        _hasMoved = true;
        return parked;
    }

    /// <summary>What the last listener on an address has left.</summary>
    public bool TryTake(IPEndPoint endPoint, [NotNullWhen(true)] out ParkedListener? parked)
    {
        parked = null;
        lock (_lock)
        {
            if (!_parked.Remove(endPoint, out var found)) return false;
            found.Timer.Dispose();
            parked = found.Listener;
        }

        LogHandedOver(logger, endPoint, parked.Count);
        return true;
    }

    public void Dispose()
    {
        IPEndPoint[] left;
        lock (_lock) left = [.. _parked.Keys];
        foreach (var endPoint in left) Remove(endPoint)?.Close();
    }

    private void GiveUp(IPEndPoint endPoint)
    {
        if (Remove(endPoint) is not { } parked) return;
        LogGivenUp(logger, endPoint, parked.Count);
        parked.Close();
    }

    private ParkedListener? Remove(IPEndPoint endPoint)
    {
        lock (_lock)
        {
            if (!_parked.Remove(endPoint, out var found)) return null;
            found.Timer.Dispose();
            return found.Listener;
        }
    }

    [LoggerMessage(EventIds.ListenerHandedOver, LogLevel.Information,
        "The endpoint {EndPoint} has changed: its listening socket goes on, with {Connections} connections that Kestrel is serving",
        EventName = "ListenerHandedOver")]
    private static partial void LogHandedOver(ILogger logger, IPEndPoint endPoint, int connections);

    [LoggerMessage(EventIds.ListenerGivenUp, LogLevel.Warning,
        "The endpoint {EndPoint} was stopped and is still configured, but Kestrel has not bound it again: it is closed, with {Connections} connections",
        EventName = "ListenerGivenUp")]
    private static partial void LogGivenUp(ILogger logger, IPEndPoint endPoint, int connections);
}
