using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Examples.Quickstart;

/// <summary>
/// The clients of the demonstration. They connect to the balancer's own listener over real sockets, ask and chat, and know nothing of what is behind it.
/// They count what they notice.
/// </summary>
internal sealed class DemoTraffic(IServer server, IHostApplicationLifetime lifetime, IConfiguration configuration) : BackgroundService
{
    private const int Households = 3, ChatsPerHousehold = 3;

    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly ChatCounts _chats = new();
    private int _failedRequests;

    /// <summary>Whether clients ask and chat. Those who chat say goodbye when it becomes false.</summary>
    public bool IsOn { get; set; } = configuration.GetValue("Traffic", defaultValue: true);

    public TrafficSeen Read() => new(IsOn, _answers.OrderBy(answer => answer.Key, StringComparer.Ordinal).ToDictionary(), _failedRequests, _chats.Read());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);

        await Task.WhenAll(Enumerable.Range(1, Households).Select(household => RunHouseholdAsync(household, FindBalancer(), stoppingToken)));
    }

    // Each household has an address of its own: one asks, and the others chat.
    private async Task RunHouseholdAsync(int household, Uri balancer, CancellationToken stopping)
    {
        using var connections = new SocketsHttpHandler { ConnectCallback = From(household), UseProxy = false };
        using var asking = new HttpClient(connections) { BaseAddress = balancer };

        // A WebSocket that comes on a connection of its own, as a browser's does, is sniffed.
        using var newConnections = new SocketsHttpHandler
        {
            ConnectCallback = From(household),
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
        };
        using var chatting = new HttpClient(newConnections) { BaseAddress = balancer };
        var chats = Enumerable.Range(household, ChatsPerHousehold).Select(number => new ChatClient(chatting, number, _chats).RunAsync(() => IsOn, stopping));
        await Task.WhenAll([AskAsync(asking, stopping), .. chats]);
    }

    private async Task AskAsync(HttpClient client, CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Random.Shared.Next(200, 600), stopping);
            if (!IsOn) continue;
            try
            {
                var hello = await client.GetFromJsonAsync<DemoBackend.Hello>("/api/hello", stopping);
                _answers.AddOrUpdate(hello!.Backend, 1, (_, count) => count + 1);
            }
            catch (Exception failed) when (failed is HttpRequestException || (failed is OperationCanceledException && !stopping.IsCancellationRequested))
            {
                Interlocked.Increment(ref _failedRequests);
            }
        }
    }

    // Where the server listens; where that is every address, on the loopback.
    private Uri FindBalancer()
    {
        var addresses = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(BindingAddress.Parse).ToList();
        var address = addresses.Find(address => address.Scheme == Uri.UriSchemeHttp) ?? addresses[0];
        var isEverywhere = address.Host is "localhost" or "+" or "*" or "0.0.0.0" or "[::]";
        return new Uri($"{address.Scheme}://{(isEverywhere ? "127.0.0.1" : address.Host)}:{address.Port}");
    }

    private static Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> From(int household)
        => (context, cancellation) => ConnectAsync(new IPAddress([127, 0, 0, (byte)(10 + household)]), context.DnsEndPoint, cancellation);

    // All of 127.0.0.0/8 is this machine, so that the page has several clients to show. macOS has only 127.0.0.1.
    private static async ValueTask<Stream> ConnectAsync(IPAddress from, DnsEndPoint to, CancellationToken cancellation)
    {
        var isLocal = to.Host == "127.0.0.1";
        var socket = isLocal
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            if (isLocal && !OperatingSystem.IsMacOS()) socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(to, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
