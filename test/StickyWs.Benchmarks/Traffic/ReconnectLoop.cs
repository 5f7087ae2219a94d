using System.Diagnostics;
using System.Globalization;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Clients that come back at once when their tunnel ends, all of them at the same time. Whoever is refused tries again after 100 to 300 ms, whatever it
/// was told.
/// </summary>
internal sealed class ReconnectLoop(List<Connection> tunnels, Dialer dialer)
{
    private const int Timer = -1;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    // After which no further tunnel is expected to end.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly State[] _states = new State[tunnels.Count];
    private readonly PriorityQueue<int, TimeSpan> _later = new();
    private readonly Random _random = new(1);
    private readonly byte[] _buffer = new byte[4096];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan? _first;
    private TimeSpan _last;
    private int _ended;
    private int _out;
    private int _failed;

    private enum State
    {
        Open,
        Connecting,
        Asking,
        Away,
    }

    /// <summary>
    /// Waits for the first end, and until all are back. Says how many seconds lay between, how many tunnels ended, how many attempts failed, and how many
    /// clients are still not back.
    /// </summary>
    public string Run()
    {
        using var epoll = new Epoll();
        using var timer = new IntervalTimer(Tick);
        for (var i = 0; i < tunnels.Count; i++) epoll.Add(tunnels[i].Socket, Epoll.Readable, i);
        epoll.Add(timer.File, Epoll.Readable, Timer);
        while ((_first is null || _out > 0 || _clock.Elapsed - _last < Calm) && _clock.Elapsed < Patience)
        {
            // The timer ends every wait.
            var ready = epoll.Wait();
            for (var i = 0; i < ready; i++)
            {
                if (epoll.Key(i) is not Timer and var key) Advance(epoll, key);
                else ComeBack(epoll, timer.Expired());
            }
        }

        var seconds = _first is { } first ? (_last - first).TotalSeconds : double.NaN;
        return string.Create(CultureInfo.InvariantCulture, $"{seconds} {_ended} {_failed} {_out}");
    }

    private void ComeBack(Epoll epoll, int expired)
    {
        while (expired > 0 && _later.TryPeek(out var client, out var due) && due <= _clock.Elapsed)
        {
            _later.Dequeue();
            Begin(epoll, client);
        }
    }

    private void Begin(Epoll epoll, int client)
    {
        tunnels[client] = dialer.BeginConnectOneOfMany(client);
        _states[client] = State.Connecting;
        epoll.Add(tunnels[client].Socket, Epoll.Writable, client);
    }

    private void Advance(Epoll epoll, int client)
    {
        switch (_states[client])
        {
            case State.Open when HasEnded(client, out _):
                tunnels[client].Dispose();
                _first ??= _clock.Elapsed;
                _ended++;
                _out++;
                Begin(epoll, client);
                break;
            case State.Connecting:
                epoll.Change(tunnels[client].Socket, Epoll.Readable, client);
                _states[client] = State.Asking;
                if (!tunnels[client].TrySend(Messages.Handshake)) Fail(client);
                break;
            case State.Asking:
                var isOver = HasEnded(client, out var count);
                if (isOver || (count > 0 && !_buffer.AsSpan(0, count).StartsWith("HTTP/1.1 101 "u8))) Fail(client);
                else if (count > 0) Return(client);
                break;
        }
    }

    private bool HasEnded(int client, out int count)
    {
        count = tunnels[client].TryReceive(_buffer);
        return count is Tcp.Ended or Tcp.Broken;
    }

    private void Return(int client)
    {
        _states[client] = State.Open;
        _last = _clock.Elapsed;
        _out--;
    }

    private void Fail(int client)
    {
        tunnels[client].Dispose();
        _states[client] = State.Away;
        _failed++;
        _later.Enqueue(client, _clock.Elapsed + TimeSpan.FromMilliseconds(_random.Next(100, 300)));
    }
}
