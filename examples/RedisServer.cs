using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;

namespace StickyWs.Examples;

/// <summary>Where Redis listens: a server of your own, or one inside this process that forgets everything with it. Examples link this file.</summary>
internal sealed class RedisServer : IDisposable
{
    private readonly GarnetServer? _embedded;

    private RedisServer(string address, GarnetServer? embedded)
    {
        Address = address;
        _embedded = embedded;
    }

    /// <summary><c>host:port</c>, as StackExchange.Redis takes it.</summary>
    public string Address { get; }

    public static RedisServer At(string? address)
    {
        if (!string.IsNullOrEmpty(address)) return new RedisServer(address, null);

        var endpoint = FreeEndpoint();
        var embedded = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [endpoint],
            QuietMode = true,
            LogMemorySize = "64m",
            PageSize = "4m",
            IndexMemorySize = "4m",
        });
        embedded.Start();
        return new RedisServer(endpoint.ToString(), embedded);
    }

    public void Dispose() => _embedded?.Dispose();

    private static IPEndPoint FreeEndpoint()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
