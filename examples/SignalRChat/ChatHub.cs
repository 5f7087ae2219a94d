using Microsoft.AspNetCore.SignalR;

namespace StickyWs.Examples.SignalRChat;

/// <summary>An ordinary hub. Its clients may be on other backends: the backplane reaches them.</summary>
internal sealed class ChatHub(Place place) : Hub
{
    private const string Name = "name";

    /// <summary>Tells everybody, and answers which backend serves this connection.</summary>
    public async Task<string> Join(string name)
    {
        Context.Items[Name] = name;
        await TellAsync("joined");
        return place.Backend;
    }

    public Task Say(string text) => TellAsync("said", text);

    public override Task OnDisconnectedAsync(Exception? exception) => Context.Items.ContainsKey(Name) ? TellAsync("left") : Task.CompletedTask;

    private Task TellAsync(string what, string text = "") => Clients.All.SendAsync("happened", Context.Items[Name], place.Backend, what, text);
}
