using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.RollingDeploy;

/// <summary>
/// A backend: SignalR, plain WebSockets and plain HTTP. It prints its address, and runs until its standard input ends. It knows nothing of the balancer and
/// says goodbye to nobody: it is stopped when it is empty.
/// </summary>
internal static class Backend
{
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddSignalR();
        builder.Services.AddSingleton<Received>();

        await using var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/healthz", () => "OK");
        app.MapGet("/hello", () => "Hello.");
        app.MapGet("/received", (Received received) => received.Read());
        app.MapHub<SayHub>("/chat");
        app.Map("/ws", ListenAsync);

        await app.StartAsync();
        Console.WriteLine(app.Urls.Single());
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
    }

    // Messages are "client number"; the number is sent back as the acknowledgement.
    private static async Task ListenAsync(HttpContext context, Received received)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
            {
                var words = Encoding.UTF8.GetString(buffer, 0, message.Count).Split(' ');
                received.Add(words[0], int.Parse(words[1], CultureInfo.InvariantCulture));
                await socket.SendAsync(Encoding.UTF8.GetBytes(words[1]), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            }

            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception broken) when (broken is WebSocketException or OperationCanceledException)
        {
            // The client is gone without a Close frame.
        }
    }
}
