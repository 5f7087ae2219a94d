using System.Net.Sockets;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Tunnels;

/// <summary>
/// One outer end of a pair under stress: sends, stalls and receives by its seed, never waits, and checks every byte; within TLS, if it has an end for that.
/// </summary>
internal sealed class StressPeer(Socket socket, Random random, long total, long sendsFrom, long getsFrom, TlsEnd? tls)
{
    // A record that nobody has sealed.
    private static readonly byte[] Forged = [23, 3, 3, 0, 32, .. new byte[32]];

    private static readonly Content Shared = new(1);
    private static readonly ThreadLocal<byte[]> Buffers = new(() => new byte[256 * 1024]);

    private byte[] _sealed = [];
    private int _stall;
    private bool _hasFinished;
    private bool _mayFail;
    private bool _isBroken;

    public long Sent { get; private set; }

    public long Got { get; private set; }

    /// <summary>Successful calls.</summary>
    public long Events { get; private set; }

    /// <summary>Calls in a row for which the kernel had no room.</summary>
    public int Refusals { get; private set; }

    public bool HasEnd { get; private set; }

    /// <summary>Whether the end came with a close_notify, where there is TLS.</summary>
    public bool HasWholeEnd => HasEnd && tls is null or { Status: TlsStatus.PeerClosed };

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

    /// <summary>Ends its direction without a close_notify.</summary>
    public void Truncate()
    {
        if (_hasFinished || _isBroken) return;
        _hasFinished = true;
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Sends a record that cannot be opened, and then nothing. Without TLS it only ends.</summary>
    public void Forge()
    {
        if (tls is null)
        {
            Truncate();
            return;
        }

        _mayFail = true;
        if (_hasFinished || _isBroken) return;
        _ = TrySend([.. _sealed, .. Forged]);
        _hasFinished = true;
    }

    public void Close()
    {
        socket.Dispose();
        tls?.Dispose();
    }

    private void Send()
    {
        if (_hasFinished || !TryFlush()) return;
        if (Sent == total)
        {
            _sealed = tls is null ? [] : tls.Close().ToArray(); // Once: the next time there is none.
            if (!TryFlush()) return;
            _hasFinished = true;
            socket.Shutdown(SocketShutdown.Send);
            return;
        }

        var bytes = Buffers.Value!.AsSpan(0, (int)Math.Min(total - Sent, Size()));
        Shared.Write(bytes, sendsFrom + Sent);
        if (tls is not null)
        {
            _sealed = tls.Seal(bytes).ToArray();
            Sent += bytes.Length;
            _ = TryFlush();
        }
        else
        {
            Sent += TrySend(bytes);
        }
    }

    // What was sealed before goes first. A record is never cut for good: the rest of it follows.
    private bool TryFlush()
    {
        if (_sealed.Length > 0) _sealed = _sealed[TrySend(_sealed)..];
        return _sealed.Length == 0;
    }

    private int TrySend(ReadOnlySpan<byte> bytes)
    {
        var sent = socket.Send(bytes, SocketFlags.None, out var error);
        Refusals = error == SocketError.WouldBlock ? Refusals + 1 : 0;
        if (Refusals > 0) return 0;
        if (error != SocketError.Success)
        {
            _isBroken = true;
            return 0;
        }

        Events++;
        return sent;
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
        Take(tls is null ? buffer.AsSpan(0, received) : Open(buffer.AsSpan(0, received)));
    }

    private ReadOnlySpan<byte> Open(ReadOnlySpan<byte> records)
    {
        var step = tls!.Receive(records);
        if (step.Status == TlsStatus.Failed && !_mayFail) throw new InvalidOperationException($"Its TLS failed: {tls.FailureReason}");
        return step.Plain;
    }

    private void Take(ReadOnlySpan<byte> plain)
    {
        if (!Shared.Matches(plain, getsFrom + Got)) throw new InvalidOperationException($"Other bytes than were sent, behind {Got}.");
        Got += plain.Length;
    }

    private int Size() => random.Next(100) switch
    {
        < 90 => random.Next(1, 300),
        < 99 => random.Next(1, 16 * 1024),
        _ => random.Next(1, 256 * 1024),
    };
}
