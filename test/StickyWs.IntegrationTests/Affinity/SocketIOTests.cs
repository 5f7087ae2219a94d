using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class SocketIOTests : AffinityTest
{
    [Theory]
    [MemberData(nameof(EveryStore))]
    public async Task Of_two_hundred_sessions_that_poll_and_are_upgraded_none_meets_a_backend_that_does_not_know_it(StoreKind kind)
    {
        var store = await StartStoreAsync(kind);
        var foreign = 0;
        var backends = new List<EchoBackend>();
        foreach (var name in new[] { "a", "b", "c" }) backends.Add(Owned(await EngineBackend.StartAsync(name, () => Interlocked.Increment(ref foreign))));
        var instances = Enumerable.Range(0, 2).Select(_ => Start(
            Lane.Raw, PoolOf(backends).With("Pools:chat:Affinity:Rules:0:SocketIO", "").With("Pins:StoreTimeout", "00:00:05"), store.AddTo)).ToArray();
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        var names = new ConcurrentBag<string>();

        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) => names.Add(await LiveAsync(client, instances, i)));

        Assert.Equal(0, foreign);
        Assert.Equal(200, names.Count);
        Assert.Equal(["a", "b", "c"], names.Distinct().Order());
    }

    // A session as the client library lives it, each step on the other instance than the one before.
    private static async Task<string> LiveAsync(HttpClient client, Balancer[] instances, int turn)
    {
        Uri Next(string scheme, string transport, string? sid) => new(
            $"{scheme}://{instances[++turn % 2].Address.Authority}{EngineBackend.Path}?EIO=4&transport={transport}{(sid is null ? "" : "&sid=" + sid)}");
        var open = await client.GetStringAsync(Next("http", "polling", null), Wait.Token());
        using var packet = JsonDocument.Parse(open[1..]);
        var sid = packet.RootElement.GetProperty("sid").GetString();
        using var message = new StringContent("4hello");
        using var posted = await client.PostAsync(Next("http", "polling", sid), message, Wait.Token());
        Assert.Equal("ok", await posted.Content.ReadAsStringAsync());
        var polled = await client.GetStringAsync(Next("http", "polling", sid), Wait.Token());
        Assert.EndsWith(":hello", polled, StringComparison.Ordinal);
        var name = polled[1..^6];

        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(Next("ws", "websocket", sid), Wait.Token());
        Assert.Equal("3probe", await AskAsync(socket, "2probe"));
        Assert.Equal("6", await client.GetStringAsync(Next("http", "polling", sid), Wait.Token()));
        await SendAsync(socket, "5");
        Assert.Equal($"4{name}:upgraded", await AskAsync(socket, "4upgraded"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Wait.Token());
        return name;
    }

    private static Task SendAsync(ClientWebSocket socket, string packet)
        => socket.SendAsync(Encoding.UTF8.GetBytes(packet), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());

    private static async Task<string> AskAsync(ClientWebSocket socket, string packet)
    {
        await SendAsync(socket, packet);
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), Wait.Token());
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
