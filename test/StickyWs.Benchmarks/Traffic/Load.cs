using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// The clients of one balancer, told what to do line by line. An answer is the number of units that came back: messages, requests, handshakes, or
/// bytes; for <c>paced</c> it is the median and the 99th percentile in nanoseconds.
/// </summary>
internal sealed class Load
{
    private const int ParallelHandshakes = 8;

    private readonly List<int> _connections = [];
    private int _answerLength;

    public static Task<int> RunAsync()
    {
        var load = new Load();
        return Commands.ServeAsync("ready", command => Task.Run(() => load.Answer(command)));
    }

    private string Answer(string[] command) => command switch
    {
        ["open", var port, var count] => Open(Number(count), () => Opening.Tunnel(Number(port))),
        ["open-http", var port, var count] => Open(Number(count), () => Opening.Http(Number(port), out _answerLength)),
        ["open-stalled", var port] => Open(1, () => Opening.Stalled(Number(port))),
        ["echo", var seconds, var active] => Text(Echo(Number(active), Messages.Small).Run(Duration(seconds))),
        ["bulk", var seconds, var active] => Text(2 * Messages.Large.Length * Echo(Number(active), Messages.Large, Messages.BulkDepth).Run(Duration(seconds))),
        ["http", var seconds] => Text(new ClosedLoop(_connections, Messages.Get, _answerLength).Run(Duration(seconds))),
        ["handshake", var port, var seconds, var limit] => Text(new HandshakeLoop(Number(port), ParallelHandshakes).Run(Duration(seconds), Number(limit))),
        ["paced", var seconds, var perSecond] => Percentiles(new PacedLoop(_connections, Number(perSecond)).Run(Duration(seconds))),
        ["close-but", var count] => CloseBut(Number(count)),
        _ => "?",
    };

    private string Open(int count, Func<int> open)
    {
        for (; count > 0; count--) _connections.Add(open());
        return "open";
    }

    private string CloseBut(int count)
    {
        foreach (var connection in _connections.Skip(count)) Tcp.Close(connection);
        _connections.RemoveRange(count, _connections.Count - count);
        return "closed";
    }

    private ClosedLoop Echo(int active, byte[] message, int depth = 1) => new(_connections.GetRange(0, active), message, message.Length, depth);

    private static string Percentiles(IReadOnlyList<long> ascending) => $"{Text(ascending[ascending.Count / 2])} {Text(ascending[ascending.Count * 99 / 100])}";

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static TimeSpan Duration(string seconds) => TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
