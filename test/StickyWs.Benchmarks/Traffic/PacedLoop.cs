using System.Diagnostics;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>Messages at a given rate, whatever comes back, through one tunnel after the other; measures how long each took there and back.</summary>
/// <param name="tunnels">The tunnels.</param>
/// <param name="perSecond">The rate.</param>
/// <param name="mayEnd">Whether tunnels may end meanwhile. What was under way in them does not count.</param>
internal sealed class PacedLoop(IReadOnlyList<Connection> tunnels, int perSecond, bool mayEnd = false)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Message = Messages.Small;

    private readonly Queue<long>[] _underWay = [.. tunnels.Select(_ => new Queue<long>())];
    private readonly int[] _received = new int[tunnels.Count];
    private readonly List<long> _durations = [];
    private readonly bool[] _hasEnded = new bool[tunnels.Count];
    private long _sent;
    private long _lost;

    /// <summary>The durations in ascending order, in nanoseconds.</summary>
    public IReadOnlyList<long> Run(TimeSpan duration)
    {
        using var epoll = new Epoll();
        using var timer = new IntervalTimer(TimeSpan.FromSeconds(1.0 / perSecond));
        for (var i = 0; i < tunnels.Count; i++) epoll.Add(tunnels[i].Socket, Epoll.Readable, i);
        epoll.Add(timer.File, Epoll.Readable, -1);
        var (messages, clock) = ((long)(duration.TotalSeconds * perSecond), Stopwatch.StartNew());
        while (_durations.Count + _lost < messages)
        {
            // The timer ends every wait.
            if (clock.Elapsed > duration + Patience) throw new TimeoutException($"{messages - _durations.Count - _lost} messages did not come back.");
            var ready = epoll.Wait();
            for (var i = 0; i < ready; i++)
            {
                if (epoll.Key(i) is >= 0 and var tunnel) Receive(tunnel);
                else Send(Math.Min(timer.Expired(), messages - _sent));
            }
        }

        _durations.Sort();
        return [.. _durations.Select(ticks => ticks * 1_000_000_000 / Stopwatch.Frequency)];
    }

    private void Send(long count)
    {
        for (; count > 0; count--)
        {
            var tunnel = (int)(_sent++ % tunnels.Count);
            if (_hasEnded[tunnel])
            {
                _lost++;
                continue;
            }

            _underWay[tunnel].Enqueue(Stopwatch.GetTimestamp());
            if (mayEnd) _ = tunnels[tunnel].TrySend(Message);
            else tunnels[tunnel].Send(Message);
        }
    }

    private void Receive(int tunnel)
    {
        var count = tunnels[tunnel].TryDiscard(Message.Length);
        if (count is Tcp.Ended or Tcp.Broken)
        {
            End(tunnel);
            return;
        }

        _received[tunnel] += Math.Max(count, 0);
        for (; _received[tunnel] >= Message.Length; _received[tunnel] -= Message.Length)
            _durations.Add(Stopwatch.GetTimestamp() - _underWay[tunnel].Dequeue());
    }

    private void End(int tunnel)
    {
        if (!mayEnd) throw new IOException("The balancer closed a tunnel.");
        tunnels[tunnel].Dispose();
        _hasEnded[tunnel] = true;
        _lost += _underWay[tunnel].Count;
    }
}
