using System.Diagnostics;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>Sends hostile streams.</summary>
internal static class HostileStreams
{
    private static readonly byte[] Ping = [0x89, 0x80, 0, 0, 0, 0];
    private static readonly byte[] Pings = [.. Enumerable.Repeat(Ping, 2730).SelectMany(ping => ping)];
    private static readonly byte[] Payload = new byte[16 * 1024];

    /// <summary>As fast as it is taken; how many bytes.</summary>
    public static long Send(Connection tunnel, HostileStream what, TimeSpan duration)
    {
        if (what == HostileStream.Endless) tunnel.Send([0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        if (what == HostileStream.Lost) tunnel.Send([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        var sent = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;) sent += SendSome(tunnel, what);
        return sent;
    }

    private static long SendSome(Connection tunnel, HostileStream what)
    {
        if (what != HostileStream.Trickled)
        {
            var bytes = what == HostileStream.Pings ? Pings : Payload;
            tunnel.Send(bytes);
            return bytes.Length;
        }

        for (var i = 0; i < Ping.Length; i++) tunnel.Send(Ping.AsSpan(i, 1));
        return Ping.Length;
    }
}
