using System.Diagnostics;
using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// The clients of one balancer, told what to do line by line. An answer is the number of units that came back: messages, requests, handshakes, or
/// bytes; for <c>paced…</c> it is the median and the 99th percentile in nanoseconds, for others what their loop says.
/// A target is what <see cref="Dialer.To"/> reads.
/// </summary>
internal sealed class Load
{
    private readonly List<Connection> _connections = [];
    private int _answerLength;

    public static Task<int> RunAsync()
    {
        var load = new Load();
        return Commands.ServeAsync("ready", command => Task.Run(() => load.Answer(command)));
    }

    private string Answer(string[] command) => command switch
    {
        ["open", var target, var count] => Open(target, Number(count), Opening.Tunnel),
        ["open-http", var target, var count, var what]
            => Open(target, Number(count), dialer => Opening.Http(dialer, Exchange.All[what], out _answerLength)),
        ["open-talk", var target, var count] => Open(target, Number(count), dialer => Opening.Talk(dialer, _connections.Count)),
        ["flood", var target, var seconds, var what] => Text(Flood(target, Enum.Parse<HostileStream>(what), Duration(seconds))),
        ["open-stalled", var target] => Open(target, 1, Opening.Stalled),
        ["echo", var seconds, var active] => Text(Echo(Number(active), Messages.Small).Run(Duration(seconds))),
        ["bulk", var seconds, var active, var payload, var depth]
            => Text(Bulk(Number(active), WebSocketFrame.FromClient(Number(payload)), Number(depth), Duration(seconds))),
        ["http", var seconds, var what] => Text(new ClosedLoop(_connections, Exchange.All[what].Request, _answerLength).Run(Duration(seconds))),
        ["handshake", var target, var seconds, var limit] => Text(Handshakes(target, loop => loop.Run(Duration(seconds), Number(limit)))),
        ["paced", var seconds, var perSecond] => Percentiles(Paced(Number(perSecond), Duration(seconds))),
        ["paced-among", var target, var seconds, var perSecond, var handshakesPerSecond]
            => Percentiles(PacedAmong(target, Number(handshakesPerSecond), Number(perSecond), Duration(seconds))),
        ["paced-and-lost", var seconds, var perSecond]
            => Percentiles(new PacedLoop(_connections, Number(perSecond), mayEnd: true).Run(Duration(seconds))),
        ["storm", var target] => Storm(target),
        ["goodbyes", var began, var seconds] => string.Join(' ', CloseAll(began, seconds).AwaitGoodbyes()),
        ["leave", var seconds] => Text(CloseAll(Text(Stopwatch.GetTimestamp()), seconds).Leave()),
        ["close-but", var count] => CloseBut(Number(count)),
        _ => "?",
    };

    private string Open(string target, int count, Func<Dialer, Connection> open)
    {
        using var dialer = Dialer.To(target);
        for (; count > 0; count--) _connections.Add(open(dialer));
        return "open";
    }

    private static long Flood(string target, HostileStream what, TimeSpan duration)
    {
        using var dialer = Dialer.To(target);
        using var tunnel = Opening.Sink(dialer);
        return HostileStreams.Send(tunnel, what, duration);
    }

    private string Storm(string target)
    {
        using var dialer = Dialer.To(target);
        return GivingWay(new ReconnectLoop(_connections, dialer).Run).Result;
    }

    private CloseLoop CloseAll(string began, string seconds)
    {
        var loop = new CloseLoop([.. _connections], long.Parse(began, CultureInfo.InvariantCulture), Duration(seconds));
        _connections.Clear();
        return loop;
    }

    private string CloseBut(int count)
    {
        foreach (var connection in _connections.Skip(count)) connection.Dispose();
        _connections.RemoveRange(count, _connections.Count - count);
        return "closed";
    }

    private ClosedLoop Echo(int active, byte[] message, int depth = 1) => new(_connections.GetRange(0, active), message, message.Length, depth);

    private long Bulk(int active, byte[] message, int depth, TimeSpan duration) => 2 * message.Length * Echo(active, message, depth).Run(duration);

    private static long Handshakes(string target, Func<HandshakeLoop, long> run)
    {
        using var dialer = Dialer.To(target);
        return run(new HandshakeLoop(dialer));
    }

    private IReadOnlyList<long> Paced(int perSecond, TimeSpan duration) => new PacedLoop(_connections, perSecond).Run(duration);

    // The faster a balancer answers handshakes, the more it would otherwise be charged with what they cost the load.
    private IReadOnlyList<long> PacedAmong(string target, int handshakesPerSecond, int perSecond, TimeSpan duration)
    {
        var handshakes = GivingWay(() => Handshakes(target, loop => loop.RunPaced(duration, handshakesPerSecond)));
        var durations = Paced(perSecond, duration);
        handshakes.Wait();
        return durations;
    }

    // In a thread of its own, which runs when nothing else has to on this core: a handshake must not hold up a message that has come back.
    private static Task<T> GivingWay<T>(Func<T> work) => Task.Factory.StartNew(
        () =>
        {
            Precedence.GiveAway();
            return work();
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static string Percentiles(IReadOnlyList<long> ascending) => $"{Text(ascending[ascending.Count / 2])} {Text(ascending[ascending.Count * 99 / 100])}";

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static TimeSpan Duration(string seconds) => TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
