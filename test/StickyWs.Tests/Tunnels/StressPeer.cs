using System.Net.Sockets;
using StickyWs.Tests.Reactors;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Tunnels;

/// <summary>One outer end of a pair under stress: sends, stalls and receives by its seed, never waits, and checks every byte.</summary>
internal sealed class StressPeer(Socket socket, Random random, long total, long sendsFrom, long getsFrom)
{
    private static readonly Content Shared = new(1);
    private static readonly ThreadLocal<byte[]> Buffers = new(() => new byte[256 * 1024]);

    private int _stall;
    private bool _hasFinished;
    private bool _isBroken;

    public long Sent { get; private set; }

    public long Got { get; private set; }

    /// <summary>Successful calls.</summary>
    public long Events { get; private set; }

    /// <summary>Calls in a row for which the kernel had no room.</summary>
    public int Refusals { get; private set; }

    public bool HasEnd { get; private set; }

    /// <summary>The other side's end was seen, or the connection broke, or this side broke it.</summary>
    public bool IsOver => HasEnd || _isBroken;

    public bool NeverReads { get; init; }

    public void Step()
    {
        if (_isBroken) return;
        Send();
        if (NeverReads) return;
        if (_stall == 0 && random.Next(200) == 0) _stall = random.Next(300);
        if (_stall > 0) _stall--;
        else Receive();
    }

    public void Reset()
    {
        _isBroken = true;
        socket.Close(0);
    }

    public void Close() => socket.Dispose();

    private void Send()
    {
        if (_hasFinished) return;
        if (Sent == total)
        {
            _hasFinished = true;
            socket.Shutdown(SocketShutdown.Send);
            return;
        }

        var bytes = Buffers.Value!.AsSpan(0, (int)Math.Min(total - Sent, Size()));
        Shared.Write(bytes, sendsFrom + Sent);
        var sent = socket.Send(bytes, SocketFlags.None, out var error);
        Refusals = error == SocketError.WouldBlock ? Refusals + 1 : 0;
        if (Refusals > 0) return;
        if (error != SocketError.Success)
        {
            _isBroken = true;
            return;
        }

        Sent += sent;
        Events++;
    }

    private void Receive()
    {
        if (HasEnd) return;
        var buffer = Buffers.Value!;
        var received = socket.Receive(buffer, 0, buffer.Length, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return;
        if (error != SocketError.Success)
        {
            _isBroken = true;
            return;
        }

        Events++;
        if (received == 0) HasEnd = true;
        if (!Shared.Matches(buffer.AsSpan(0, received), getsFrom + Got)) throw new InvalidOperationException($"Other bytes than were sent, behind {Got}.");
        Got += received;
    }

    private int Size() => random.Next(100) switch
    {
        < 90 => random.Next(1, 300),
        < 99 => random.Next(1, 16 * 1024),
        _ => random.Next(1, 256 * 1024),
    };
}
