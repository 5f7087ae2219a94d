using System.Diagnostics;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Tunnels that live for their handshake only: connect, handshake, FIN, and over when the other side's FIN has come. Either a few are at it at the
/// same time, or they come at a given rate.
/// </summary>
internal sealed class HandshakeLoop(Dialer dialer)
{
    private const int Parallel = 8;
    private const int Timer = -1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Dictionary<int, Tunnel> _tunnels = [];
    private readonly byte[] _buffer = new byte[4096];
    private int _turn;

    /// <summary>How many were opened and closed. It stops at a number too, because every one leaves a port in TIME-WAIT behind.</summary>
    public long Run(TimeSpan duration, long limit)
    {
        using var epoll = new Epoll();
        for (var i = 0; i < Parallel; i++) Start(epoll);
        var (count, clock) = (0L, Stopwatch.StartNew());
        while (_tunnels.Count > 0)
        {
            var ready = epoll.Wait(Patience);
            for (var i = 0; i < ready; i++)
            {
                if (!IsOver(epoll.Key(i))) continue;
                count++;
                if (clock.Elapsed < duration && count + _tunnels.Count < limit) Start(epoll);
            }
        }

        return count;
    }

    /// <summary>Opens and closes as many as a rate and a duration make, whatever comes back; says how many.</summary>
    public long RunPaced(TimeSpan duration, int perSecond)
    {
        using var epoll = new Epoll();
        using var timer = new IntervalTimer(TimeSpan.FromSeconds(1.0 / perSecond));
        epoll.Add(timer.File, Epoll.Readable, Timer);
        var (count, total, clock) = (0L, (long)(duration.TotalSeconds * perSecond), Stopwatch.StartNew());
        while (count < total)
        {
            // The timer ends every wait.
            if (clock.Elapsed > duration + Patience) throw new TimeoutException($"{total - count} tunnels did not end.");
            var ready = epoll.Wait();
            for (var i = 0; i < ready; i++)
            {
                if (epoll.Key(i) is not Timer and var key) count += IsOver(key) ? 1 : 0;
                else for (var due = Math.Min(timer.Expired(), total - _turn); due > 0; due--) Start(epoll);
            }
        }

        return count;
    }

    private void Start(Epoll epoll)
    {
        var (key, connection) = (_turn, dialer.ConnectOneOfMany(_turn));
        _turn++;
        _tunnels[key] = new Tunnel(connection);
        epoll.Add(connection.Socket, Epoll.Readable, key);
        connection.Send(Messages.Handshake);
    }

    private bool IsOver(int key)
    {
        var tunnel = _tunnels[key];
        var count = tunnel.Connection.TryReceive(_buffer);
        if (count == Tcp.NotYet) return false;
        if (tunnel.IsOpen && count == Tcp.Ended)
        {
            tunnel.Connection.Dispose();
            _tunnels.Remove(key);
            return true;
        }

        if (tunnel.IsOpen || count <= 0) throw new IOException("A tunnel did not end as it should.");
        Read(tunnel, _buffer.AsSpan(0, count));
        return false;
    }

    private void Read(Tunnel tunnel, ReadOnlySpan<byte> head)
    {
        if (tunnel.Received == 0 && !head.StartsWith("HTTP/1.1 101 "u8)) throw new IOException("The balancer refused a tunnel.");
        tunnel.Received += head.Length;
        if (!head.EndsWith("\r\n\r\n"u8)) return;
        dialer.Check(tunnel.Connection);
        tunnel.IsOpen = true;
        tunnel.Connection.EndSending();
    }

    private sealed class Tunnel(Connection connection)
    {
        public Connection Connection => connection;

        public int Received { get; set; }

        public bool IsOpen { get; set; }
    }
}
