using System.Net.WebSockets;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace StickyWs.Examples.RollingDeploy.Clients;

/// <summary>A SignalR client as most are: automatic reconnects, and what was not confirmed is said again.</summary>
internal sealed class HubClient(string url, string name, Noticed noticed) : IClient
{
    public async Task RunAsync(Func<Task> pause, CancellationToken stop)
    {
        ClientWebSocket? socket = null;
        await using var connection = new HubConnectionBuilder()
            .WithUrl($"{url}/chat?client={name}", options => options.WebSocketFactory = async (context, cancellation) =>
            {
                socket = new ClientWebSocket();    // ours, to see its close code
                await socket.ConnectAsync(context.Uri, cancellation);
                return socket;
            })
            .WithAutomaticReconnect()
            .Build();
        connection.Reconnecting += _ => Note(() => noticed.Closed((int?)socket?.CloseStatus));
        connection.Reconnected += _ => Note(() => noticed.Opened(isAgain: true));
        connection.Closed += error => Note(() =>
        {
            if (error is not null) noticed.Failed($"{name} gave up: {error.Message}");
        });

        await connection.StartAsync(stop);
        noticed.Opened(isAgain: false);
        for (var number = 1; !stop.IsCancellationRequested; await pause())
        {
            if (connection.State != HubConnectionState.Connected) continue;
            try
            {
                await connection.InvokeAsync("Say", name, number, stop);
                noticed.Confirmed(name, number++);
            }
            catch (Exception lost) when (!stop.IsCancellationRequested && lost is not HubException)
            {
                // The connection ended before the result came. The message may have arrived or not: the same number again.
            }
        }
    }

    private static Task Note(Action note)
    {
        note();
        return Task.CompletedTask;
    }
}
