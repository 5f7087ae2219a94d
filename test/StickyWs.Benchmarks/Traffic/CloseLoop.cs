using System.Diagnostics;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Tunnels that end by a closing handshake (RFC 6455 section 7): the balancer begins, at moments that are noted, or the clients do, at a given rate. All
/// are closed when it returns.
/// </summary>
internal sealed class CloseLoop
{
    private const int Tenths = 10;
    private const int Timer = -1;
    private const int PerSecond = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<Connection> _tunnels;
    private readonly FrameReader[] _readers;
    private readonly bool[] _hasClosed;
    private readonly int[] _tenths = new int[Tenths];
    private readonly byte[] _buffer = new byte[4096];
    private readonly long _began;
    private readonly TimeSpan _over;
    private int _open;
    private int _sent;

    /// <param name="tunnels">Tunnels at rest.</param>
    /// <param name="began">When the time begins over which they end, as a timestamp of the machine.</param>
    /// <param name="over">How long it is.</param>
    public CloseLoop(IReadOnlyList<Connection> tunnels, long began, TimeSpan over)
    {
        (_tunnels, _began, _over, _open) = (tunnels, began, over, tunnels.Count);
        _readers = [.. tunnels.Select(_ => new FrameReader())];
        _hasClosed = new bool[tunnels.Count];
    }

    /// <summary>Waits until all are told to go, and answers; how many were told in each tenth of the time, the last with those that were late.</summary>
    public IReadOnlyList<int> AwaitGoodbyes()
    {
        Run(closesItself: false);
        return _tenths;
    }

    /// <summary>Closes them one after the other, evenly spread; how many.</summary>
    public int Leave()
    {
        Run(closesItself: true);
        return _tunnels.Count;
    }

    private void Run(bool closesItself)
    {
        using var epoll = new Epoll();
        using var timer = new IntervalTimer(TimeSpan.FromSeconds(1.0 / PerSecond));
        for (var i = 0; i < _tunnels.Count; i++) epoll.Add(_tunnels[i].Socket, Epoll.Readable, i);
        epoll.Add(timer.File, Epoll.Readable, Timer);
        while (_open > 0)
        {
            if (Stopwatch.GetElapsedTime(_began) > _over + Patience) throw new TimeoutException($"{_open} tunnels did not end.");
            var ready = epoll.Wait();
            for (var i = 0; i < ready; i++)
            {
                if (epoll.Key(i) is not Timer and var tunnel) Receive(tunnel);
                else if (timer.Expired() > 0 && closesItself) CloseDue();
            }
        }
    }

    private void CloseDue()
    {
        for (var due = Math.Min(1, Stopwatch.GetElapsedTime(_began) / _over) * _tunnels.Count; _sent < due; _sent++) Close(_sent, 1000);
    }

    private void Close(int tunnel, int code)
    {
        _hasClosed[tunnel] = true;
        _ = _tunnels[tunnel].TrySend(FrameReader.CloseFromClient(code));
    }

    private void Receive(int tunnel)
    {
        var count = _tunnels[tunnel].TryReceive(_buffer);
        if (count == Tcp.NotYet) return;
        if (count > 0)
        {
            _readers[tunnel].Read(_buffer.AsSpan(0, count), (opcode, payload) => Take(tunnel, opcode, payload));
            return;
        }

        if (!_hasClosed[tunnel] || count == Tcp.Broken) throw new IOException("A tunnel ended without a closing handshake.");
        _tunnels[tunnel].Dispose();
        _open--;
    }

    private void Take(int tunnel, int opcode, byte[] payload)
    {
        if (opcode != FrameReader.Close || _hasClosed[tunnel]) return;
        _tenths[(int)Math.Clamp(Stopwatch.GetElapsedTime(_began) / _over * Tenths, 0, Tenths - 1)]++;
        Close(tunnel, (payload[0] << 8) | payload[1]);
    }
}
