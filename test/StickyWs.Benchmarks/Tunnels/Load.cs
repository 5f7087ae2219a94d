using System.Diagnostics;
using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>
/// The clients: <c>open PORT COUNT</c> adds tunnels and sends one message through each, <c>echo SECONDS</c> keeps sending one message through
/// each and taking the answers, and says how many came back, <c>close</c> ends them all. It blocks, as the backend does and for its reason.
/// </summary>
internal static class Load
{
    public static Task<int> RunAsync()
    {
        var tunnels = new List<LoadTunnel>();
        return Commands.ServeAsync("ready", command => Task.Run(() => Answer(tunnels, command)));
    }

    private static string Answer(List<LoadTunnel> tunnels, string[] command)
    {
        switch (command)
        {
            case ["open", var port, var count]:
                for (var i = int.Parse(count, CultureInfo.InvariantCulture); i > 0; i--) tunnels.Add(LoadTunnel.Open(int.Parse(port, CultureInfo.InvariantCulture)));
                return "open";
            case ["echo", var seconds]:
                return Echo(tunnels, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))).ToString(CultureInfo.InvariantCulture);
            case ["close"]:
                tunnels.ForEach(tunnel => tunnel.Dispose());
                tunnels.Clear();
                return "closed";
            default:
                return "?";
        }
    }

    private static long Echo(List<LoadTunnel> tunnels, TimeSpan duration)
    {
        var count = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration; count += tunnels.Count)
        {
            foreach (var tunnel in tunnels) tunnel.Send();
            foreach (var tunnel in tunnels) tunnel.Receive();
        }

        return count;
    }
}
