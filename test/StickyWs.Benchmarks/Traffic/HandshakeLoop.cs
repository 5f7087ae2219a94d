using System.Diagnostics;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Tunnels that live for their handshake only: connect, handshake, FIN, and the next one when the other side's FIN has come. A few are at it at
/// the same time.
/// </summary>
internal sealed class HandshakeLoop(int port, int parallel)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly (int Socket, int Received, bool IsOpen)[] _slots = new (int, int, bool)[parallel];
    private readonly byte[] _buffer = new byte[4096];
    private long _turn;

    /// <summary>How many were opened and closed. It stops at a number too, because every one leaves a port in TIME-WAIT behind.</summary>
    public long Run(TimeSpan duration, long limit)
    {
        using var epoll = new Epoll();
        for (var slot = 0; slot < parallel; slot++) Start(slot, epoll);
        var (count, busy, clock) = (0L, parallel, Stopwatch.StartNew());
        while (busy > 0)
        {
            var ready = epoll.Wait(Patience);
            for (var i = 0; i < ready; i++)
            {
                var slot = epoll.Key(i);
                if (!IsOver(slot)) continue;
                count++;
                if (clock.Elapsed < duration && count + busy <= limit) Start(slot, epoll);
                else busy--;
            }
        }

        return count;
    }

    private void Start(int slot, Epoll epoll)
    {
        var socket = Tcp.ConnectOneOfMany(port, _turn++);
        _slots[slot] = (socket, 0, false);
        epoll.Add(socket, Epoll.Readable, slot);
        Tcp.Send(socket, Messages.Handshake);
    }

    private bool IsOver(int slot)
    {
        ref var tunnel = ref _slots[slot];
        var count = Tcp.TryReceive(tunnel.Socket, _buffer);
        if (count == Tcp.NotYet) return false;
        if (tunnel.IsOpen && count == Tcp.Ended)
        {
            Tcp.Close(tunnel.Socket);
            return true;
        }

        if (tunnel.IsOpen || count <= 0) throw new IOException("A tunnel did not end as it should.");
        Read(ref tunnel, _buffer.AsSpan(0, count));
        return false;
    }

    private static void Read(ref (int Socket, int Received, bool IsOpen) tunnel, ReadOnlySpan<byte> head)
    {
        if (tunnel.Received == 0 && !head.StartsWith("HTTP/1.1 101 "u8)) throw new IOException("The balancer refused a tunnel.");
        tunnel.Received += head.Length;
        if (!head.EndsWith("\r\n\r\n"u8)) return;
        tunnel.IsOpen = true;
        Tcp.EndSending(tunnel.Socket);
    }
}
