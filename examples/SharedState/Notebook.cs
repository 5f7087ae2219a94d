using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Caching.Distributed;

namespace StickyWs.Examples.SharedState;

/// <summary>
/// The notes of one client: read from memory, which only its own backend has, and written through to the cache, where the next backend finds them.
/// </summary>
internal sealed class Notebook(string pin, IDistributedCache cache)
{
    private static readonly DistributedCacheEntryOptions Kept = new() { SlidingExpiration = TimeSpan.FromHours(1) };

    private readonly Lock _queue = new();
    private readonly List<WebSocket> _sockets = [];
    private List<Note>? _notes;
    private Task _last = Task.CompletedTask;

    /// <summary>Brings the notes to a WebSocket of the client; one browser may have several.</summary>
    public Task OpenAsync(WebSocket socket, string backend, string movedFrom, CancellationToken cancellation) => InTurnAsync(async () =>
    {
        // Who was moved here wrote elsewhere last: whatever is in memory is old.
        int? loaded = null;
        if (_notes is null || movedFrom.Length > 0)
        {
            _notes = await LoadAsync(cancellation);
            loaded = _notes.Count;
        }

        _sockets.Add(socket);
        await SendAsync(socket, new { backend, client = pin[..8], movedFrom, loaded, notes = _notes }, cancellation);
    });

    /// <summary>Memory and cache first, then the client's WebSockets: what a client has seen outlives this backend.</summary>
    public Task AddAsync(Note note, CancellationToken cancellation) => InTurnAsync(async () =>
    {
        _notes!.Add(note);
        await cache.SetAsync(Key, JsonSerializer.SerializeToUtf8Bytes(_notes, JsonSerializerOptions.Web), Kept, cancellation);
        foreach (var socket in _sockets.FindAll(socket => socket.State == WebSocketState.Open)) await SendAsync(socket, new { note }, cancellation);
    });

    public Task CloseAsync(WebSocket socket) => InTurnAsync(() => Task.FromResult(_sockets.Remove(socket)));

    private string Key => $"notes:{pin}";

    private async Task<List<Note>> LoadAsync(CancellationToken cancellation)
        => await cache.GetAsync(Key, cancellation) is { } json ? JsonSerializer.Deserialize<List<Note>>(json, JsonSerializerOptions.Web)! : [];

    // One thing after the other, as the client's WebSockets ask for them: a WebSocket takes one message at a time, too.
    private Task InTurnAsync(Func<Task> action)
    {
        lock (_queue) return _last = AfterAsync(_last, action);
    }

    private static async Task AfterAsync(Task previous, Func<Task> action)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        await action();
    }

    private static Task SendAsync<T>(WebSocket socket, T message, CancellationToken cancellation)
        => socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, JsonSerializerOptions.Web), WebSocketMessageType.Text, endOfMessage: true,
            cancellation);
}
