using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StickyWs.TestKit;

/// <summary>
/// A backend on real Kestrel. On every path it echoes WebSocket messages and answers plain requests with its name; <c>X-Backend</c> says its name
/// in both. Of the subprotocols that are offered it takes the first.
/// </summary>
public sealed class EchoBackend : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _webSockets;
    private bool _isStopped;

    private EchoBackend(string name, WebApplication app)
    {
        Name = name;
        _app = app;
    }

    public string Name { get; }

    public string Address => _app.Urls.Single();

    /// <summary>WebSockets that it has opened so far.</summary>
    public int WebSockets => Volatile.Read(ref _webSockets);

    /// <param name="name">What it calls itself.</param>
    /// <param name="certificate">Serves https with it.</param>
    /// <param name="address">Where it listens; default 127.0.0.1.</param>
    /// <param name="configure">More endpoints, mapped before its own; services go to <paramref name="services"/>.</param>
    /// <param name="services">More services.</param>
    /// <param name="port">Its port; default one that is free.</param>
    public static async Task<EchoBackend> StartAsync(
        string name, X509Certificate2? certificate = null, IPAddress? address = null, Action<WebApplication>? configure = null,
            Action<IServiceCollection>? services = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address ?? IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        services?.Invoke(builder.Services);
        var app = builder.Build();
        var backend = new EchoBackend(name, app);
        app.UseWebSockets();
        configure?.Invoke(app);
        app.Map("/{**path}", backend.AnswerAsync);
        await app.StartAsync();
        return backend;
    }

    /// <summary>Stops at once: open connections are broken, new ones refused.</summary>
    public async Task StopHardAsync()
    {
        if (_isStopped) return;
        _isStopped = true;
        await _app.StopAsync(new CancellationToken(canceled: true));
    }

    public async ValueTask DisposeAsync()
    {
        await StopHardAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers["X-Backend"] = Name;
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await context.Response.WriteAsync(Name);
            return;
        }

        var subprotocol = context.WebSockets.WebSocketRequestedProtocols.FirstOrDefault();
        using var socket = await context.WebSockets.AcceptWebSocketAsync(subprotocol);
        Interlocked.Increment(ref _webSockets);
        await EchoAsync(socket);
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }

                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            // The peer is gone.
        }
    }
}
