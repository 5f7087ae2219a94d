using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.Quickstart;

/// <summary>Somebody who chats: connects, talks for a while, leaves, and comes back; at once if a Close frame sent it away, or the connection broke.</summary>
internal sealed class ChatClient(HttpClient connections, int number, ChatCounts counts)
{
    public async Task RunAsync(Func<bool> isWanted, CancellationToken stopping)
    {
        while (true)
        {
            if (isWanted()) await ChatAsync(isWanted, stopping);
            await Task.Delay(Random.Shared.Next(100, 500), stopping);
        }
    }

    private async Task ChatAsync(Func<bool> isWanted, CancellationToken stopping)
    {
        using var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(AddressOf(connections.BaseAddress!), connections, stopping);
        }
        catch (WebSocketException)
        {
            counts.Refused();
            return;
        }

        counts.Opened();
        try
        {
            var listening = ListenAsync(socket, stopping);
            await Task.WhenAll(listening, TalkAsync(socket, listening, isWanted, stopping));
        }
        catch (WebSocketException)
        {
            counts.BrokenOff();
        }
        finally
        {
            counts.Closed();
        }
    }

    private async Task TalkAsync(ClientWebSocket socket, Task listening, Func<bool> isWanted, CancellationToken stopping)
    {
        var leavesAt = DateTime.UtcNow + TimeSpan.FromSeconds(Random.Shared.Next(40, 160));
        for (var message = 1; isWanted() && DateTime.UtcNow < leavesAt && !listening.IsCompleted; message++)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes($"message {message}"), WebSocketMessageType.Text, endOfMessage: true, stopping);
            await Task.WhenAny(listening, Task.Delay(Random.Shared.Next(100, 500) * number, stopping));
        }

        // Goodbye, or the answer to one.
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stopping);
    }

    private async Task ListenAsync(ClientWebSocket socket, CancellationToken stopping)
    {
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, stopping) is { MessageType: not WebSocketMessageType.Close }) counts.Heard();
        if (socket.CloseStatus != WebSocketCloseStatus.NormalClosure) counts.ToldToGo(); // 1012: a hand-off
    }

    private static Uri AddressOf(Uri balancer) => new UriBuilder(balancer) { Scheme = balancer.Scheme == "https" ? "wss" : "ws", Path = "/ws" }.Uri;
}
