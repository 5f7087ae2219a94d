using System.Net.WebSockets;

namespace StickyWs.Examples.Observed;

/// <summary>Clients of the demonstration, so that there is something to see: they chat, load pages, leave, some rudely, and come back.</summary>
internal sealed class Visitors(IConfiguration configuration, IHostApplicationLifetime lifetime, ILogger<Visitors> logger) : BackgroundService
{
    private static readonly TimeSpan MostMessages = TimeSpan.FromMilliseconds(500);

    private readonly Ports _ports = configuration.GetSection("Ports").Get<Ports>()!;

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => OwnCertificate.Instance.Equals(shown) },
        ActivityHeadersPropagator = null,
    });

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        await using var registration = lifetime.ApplicationStarted.Register(() => started.SetResult());
        await started.Task.WaitAsync(stoppingToken);
        var numbers = Enumerable.Range(0, configuration.GetValue("Visitors", 20));
        await Task.WhenAll(numbers.Select(number => VisitAsync($"visitor-{number}", number, stoppingToken)));
    }

    private async Task VisitAsync(string name, int number, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await LoadAsync(name, asksForMore: number % 5 == 0, stopping);
                await ChatAsync(name, isTls: number % 2 == 0, isRude: number % 4 == 3, stopping);
            }
            catch (Exception refused) when (refused is WebSocketException or HttpRequestException)
            {
                logger.LogDebug(refused, "{Visitor} was turned away", name);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromSeconds(1 + Random.Shared.NextDouble()), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Who asks for more wants a protocol that the pool does not list, and is refused.
    private async Task LoadAsync(string name, bool asksForMore, CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{_ports.Http}/api/hello?visitor={name}");
        if (asksForMore && Random.Shared.Next(4) == 0)
        {
            request.Headers.Connection.Add("Upgrade");
            request.Headers.Upgrade.ParseAdd("teleport");
        }

        using var response = await _http.SendAsync(request, stopping);
        await response.Content.CopyToAsync(Stream.Null, stopping);
    }

    private async Task ChatAsync(string name, bool isTls, bool isRude, CancellationToken stopping)
    {
        using var socket = new ClientWebSocket();
        var address = isTls ? $"wss://localhost:{_ports.Https}" : $"ws://localhost:{_ports.Http}";
        await socket.ConnectAsync(new Uri($"{address}/ws?visitor={name}"), _http, stopping);
        var buffer = new byte[4096];
        for (var left = Random.Shared.Next(10, 60); left > 0; left--)
        {
            await socket.SendAsync(buffer.AsMemory(0, Random.Shared.Next(1, buffer.Length)), WebSocketMessageType.Binary, endOfMessage: true, stopping);
            if (!await HearAsync(socket, buffer, stopping)) return;
            await Task.Delay(MostMessages * Random.Shared.NextDouble(), stopping);
        }

        if (isRude) socket.Abort();
        else await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, stopping);
    }

    // Until the end of the message; or the other side has said goodbye, and is answered.
    private static async Task<bool> HearAsync(ClientWebSocket socket, byte[] buffer, CancellationToken stopping)
    {
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), stopping);
            if (part.MessageType == WebSocketMessageType.Close) break;
            if (part.EndOfMessage) return true;
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stopping);
        return false;
    }
}
