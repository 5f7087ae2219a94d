using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyWs.TestKit;

/// <summary>
/// A backend that speaks as much of the Engine.IO protocol, revision 4, as a session needs to open, to poll, to post and to be upgraded to a WebSocket
/// (socketio/engine.io-protocol). A session that it did not open itself it does not know. Messages are answered with its name.
/// </summary>
public static class EngineBackend
{
    public const string Path = "/socket.io/";

    /// <param name="name">What it calls itself.</param>
    /// <param name="foreign">Counts the requests with a session id that is not its own.</param>
    public static Task<EchoBackend> StartAsync(string name, Action? foreign = null) => EchoBackend.StartAsync(name, configure: app =>
    {
        var sessions = new ConcurrentDictionary<string, ConcurrentQueue<string>>();
        app.Map(Path, context => AnswerAsync(context, name, sessions, foreign));
    });

    private static async Task AnswerAsync(HttpContext context, string name, ConcurrentDictionary<string, ConcurrentQueue<string>> sessions, Action? foreign)
    {
        var query = context.Request.Query;
        var sid = query["sid"].ToString();
        if (sid.Length == 0)
        {
            sid = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(15));
            sessions[sid] = new();
            await context.Response.WriteAsync(
                $$"""0{"sid":"{{sid}}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}""");
        }
        else if (!sessions.TryGetValue(sid, out var waiting))
        {
            foreign?.Invoke();
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("""{"code":1,"message":"Session ID unknown"}""");
        }
        else if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await SpeakAsync(socket, name);
        }
        else if (HttpMethods.IsPost(context.Request.Method))
        {
            using var reader = new StreamReader(context.Request.Body);
            waiting.Enqueue("4" + name + ":" + (await reader.ReadToEndAsync())[1..]);
            await context.Response.WriteAsync("ok");
        }
        else
        {
            // A real one would wait for a packet; a test polls behind its post.
            await context.Response.WriteAsync(waiting.TryDequeue(out var packet) ? packet : "6");
        }
    }

    // The probe of an upgrade, its end, and messages.
    private static async Task SpeakAsync(WebSocket socket, string name)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None) is { MessageType: WebSocketMessageType.Text } received)
            {
                var packet = Encoding.UTF8.GetString(buffer, 0, received.Count);
                var answer = packet == "2probe" ? "3probe" : packet.StartsWith('4') ? $"4{name}:{packet[1..]}" : null;
                if (answer is not null) await socket.SendAsync(Encoding.UTF8.GetBytes(answer), WebSocketMessageType.Text, true, CancellationToken.None);
            }

            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            // The peer is gone.
        }
    }
}
