using System.Diagnostics;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// One request (or several) under way in every connection: the next one is sent when a whole answer has come back. The answers' bytes are
/// counted, not looked at; what they say was checked when the connection was opened.
/// </summary>
internal sealed class ClosedLoop(IReadOnlyList<Connection> connections, byte[] request, int answerLength, int depth = 1)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly int[] _received = new int[connections.Count];

    /// <summary>How many whole answers came back. Nothing is under way when it returns.</summary>
    public long Run(TimeSpan duration)
    {
        using var epoll = new Epoll();
        for (var i = 0; i < connections.Count; i++) epoll.Add(connections[i].Socket, Epoll.Readable, i);
        foreach (var connection in connections) Send(connection, depth);
        var (count, underWay, clock) = (0L, connections.Count * depth, Stopwatch.StartNew());
        while (underWay > 0)
        {
            var ready = epoll.Wait(Patience);
            var goesOn = clock.Elapsed < duration;
            for (var i = 0; i < ready; i++)
            {
                var key = epoll.Key(i);
                var answers = Answers(key);
                count += answers;
                if (goesOn) Send(connections[key], answers);
                else underWay -= answers;
            }
        }

        return count;
    }

    private void Send(Connection connection, int count)
    {
        for (; count > 0; count--) connection.Send(request);
    }

    private int Answers(int key)
    {
        var count = connections[key].TryDiscard(answerLength * depth);
        if (count is Tcp.Ended or Tcp.Broken) throw new IOException("The balancer closed a connection.");
        var received = _received[key] + Math.Max(count, 0);
        _received[key] = received % answerLength;
        return received / answerLength;
    }
}
