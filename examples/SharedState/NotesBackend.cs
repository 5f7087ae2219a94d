using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.SharedState;

/// <summary>
/// A backend of the demonstration: a Kestrel of its own, on a port of its own, with the notes of its clients in memory.
/// Killing it is a crash, not a farewell: its connections break and its memory is gone.
/// </summary>
internal sealed class NotesBackend(string name, string address, string redis) : IAsyncDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private WebApplication? _app;

    public string Name => name;

    public string Address => address;

    public bool IsRunning => _app is not null;

    /// <summary>Clients whose notes are in memory.</summary>
    public int Clients => _app?.Services.GetRequiredService<Notebooks>().Count ?? 0;

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

    public async Task KillAsync()
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
        await KillAsync();
        _oneAtATime.Dispose();
    }

    // An empty builder: the settings and the command line of the process belong to the balancer.
    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(address);
        builder.Services.AddRoutingCore();
        builder.Services.AddStackExchangeRedisCache(cache => cache.Configuration = redis);
        builder.Services.AddSingleton<Notebooks>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);

        var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/healthz", () => "OK");
        app.Map("/notes", (HttpContext context, Notebooks notebooks) => ServeAsync(context, notebooks));
        return app;
    }

    private async Task ServeAsync(HttpContext context, Notebooks notebooks)
    {
        // Who the client is, and whether it comes from a backend that is down. Both are the balancer's word: from a client it takes neither.
        var pin = context.Request.Headers["StickyWs-Pin"].ToString();
        var movedFrom = context.Request.Headers["StickyWs-Moved-From"].ToString();
        if (pin.Length == 0 || !context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var notebook = notebooks.Of(pin);
        try
        {
            await notebook.OpenAsync(socket, name, movedFrom, context.RequestAborted);
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
                await notebook.AddAsync(new Note(Encoding.UTF8.GetString(buffer, 0, message.Count), name), context.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception broken) when (broken is WebSocketException or OperationCanceledException)
        {
            // The browser left without a Close frame, or this backend was killed.
        }
        finally
        {
            await notebook.CloseAsync(socket);
        }
    }
}
