using System.Net;
using System.Net.Sockets;
using StickyWs.Benchmarks.Traffic;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>A port for servers that cannot choose one themselves.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits for an answer, not for a listener only: a master listens before it has workers.</summary>
    public static async Task WaitUntilServedAsync(int port, bool isTls)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var connection = Opening.Http(new Dialer(port, isTls), Exchange.All["small"], out _);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
