using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.Quickstart;

/// <summary>
/// A backend of the demonstration: a Kestrel of its own, on a port of its own. It knows nothing of the balancer in front of it.
/// Stopping it is a crash, not a farewell: its connections break and new ones are refused.
/// </summary>
internal sealed class DemoBackend(string name, string address) : IAsyncDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private WebApplication? _app;

    public string Name => name;

    public bool IsRunning => _app is not null;

    public async Task StartAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (_app is not null) return;
            var app = Build();
            await app.StartAsync();
            _app = app;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async Task StopAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (_app is not { } app) return;
            _app = null;
            await app.StopAsync();
            await app.DisposeAsync();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _oneAtATime.Dispose();
    }

    // An empty builder: the settings and the command line of the process belong to the balancer.
    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(address);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);

        var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/healthz", () => "OK");
        app.MapGet("/api/hello", () => new Hello(name));
        app.Map("/ws", EchoAsync);
        return app;
    }

    private async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            await SayAsync(socket, name, context.RequestAborted);
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
                await SayAsync(socket, $"{name}: {Encoding.UTF8.GetString(buffer, 0, message.Count)}", context.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception broken) when (broken is WebSocketException or OperationCanceledException)
        {
            // The client left without a Close frame, or this backend was stopped.
        }
    }

    private static Task SayAsync(WebSocket socket, string text, CancellationToken cancellation)
        => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, cancellation);

    public sealed record Hello(string Backend);
}
