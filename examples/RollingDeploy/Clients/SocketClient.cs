using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.RollingDeploy.Clients;

/// <summary>A plain WebSocket client that connects again whenever its connection ends, a moment later, since others may have lost theirs, too.</summary>
internal sealed class SocketClient(string url, string name, Noticed noticed) : IClient
{
    private static readonly TimeSpan LongestMoment = TimeSpan.FromSeconds(1);

    private readonly Uri _address = new($"{url.Replace("http", "ws", StringComparison.Ordinal)}/ws?client={name}");
    private int _confirmed;

    public async Task RunAsync(Func<Task> pause, CancellationToken stop)
    {
        for (var isAgain = false; !stop.IsCancellationRequested; isAgain = true)
        {
            using var socket = new ClientWebSocket();
            try
            {
                await socket.ConnectAsync(_address, stop);
                noticed.Opened(isAgain);
                await TalkAsync(socket, pause, stop);
                noticed.Closed((int?)socket.CloseStatus);
            }
            catch (WebSocketException failed) when (socket.State == WebSocketState.Closed)
            {
                noticed.Failed($"{name} could not connect: {failed.Message}");
            }

            await Task.Delay(LongestMoment * Random.Shared.NextDouble(), stop);
        }
    }

    private async Task TalkAsync(ClientWebSocket socket, Func<Task> pause, CancellationToken stop)
    {
        var speaking = SpeakAsync(socket, pause, stop);
        try
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, stop) is { MessageType: WebSocketMessageType.Text } message)
                noticed.Confirmed(name, _confirmed = int.Parse(buffer.AsSpan(0, message.Count), CultureInfo.InvariantCulture));
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stop);
        }
        catch (WebSocketException)
        {
            // No Close frame: the close code says so.
        }

        await speaking;
    }

    // What is not confirmed is said again.
    private async Task SpeakAsync(ClientWebSocket socket, Func<Task> pause, CancellationToken stop)
    {
        try
        {
            for (; socket.State == WebSocketState.Open; await pause())
                await socket.SendAsync(Encoding.UTF8.GetBytes($"{name} {_confirmed + 1}"), WebSocketMessageType.Text, endOfMessage: true, stop);
        }
        catch (Exception gone) when (gone is WebSocketException or InvalidOperationException)
        {
            // The connection has ended, or our side of it: whoever receives knows.
        }
    }
}
