using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>
/// The clients: <c>open PORT COUNT</c> adds tunnels and sends one message through each, <c>echo SECONDS</c> keeps one message under
/// way in each and answers how many came back, <c>close</c> ends them all.
/// </summary>
internal static class Load
{
    public static Task<int> RunAsync()
    {
        var tunnels = new List<LoadTunnel>();
        return Commands.ServeAsync("ready", async command =>
        {
            switch (command)
            {
                case ["open", var port, var count]:
                    await OpenAsync(tunnels, int.Parse(port, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture));
                    return "open";
                case ["echo", var seconds]:
                    var echoes = await EchoAsync(tunnels, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
                    return echoes.ToString(CultureInfo.InvariantCulture);
                case ["close"]:
                    tunnels.ForEach(tunnel => tunnel.Dispose());
                    tunnels.Clear();
                    return "closed";
                default:
                    return "?";
            }
        });
    }

    private static async Task OpenAsync(List<LoadTunnel> tunnels, int port, int count)
    {
        const int AtOnce = 50;
        foreach (var batch in Enumerable.Range(0, count).Chunk(AtOnce))
            tunnels.AddRange(await Task.WhenAll(batch.Select(_ => LoadTunnel.OpenAsync(port))));
    }

    private static async Task<long> EchoAsync(List<LoadTunnel> tunnels, TimeSpan duration)
    {
        using var timer = new CancellationTokenSource(duration);
        var counts = await Task.WhenAll(tunnels.Select(tunnel => tunnel.EchoAsync(timer.Token)).ToList());
        return counts.Sum();
    }
}
