using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>As Blazor Server needs it: a token for the requests of one connection, and a cookie for the connections behind each other.</summary>
public sealed class BlazorTests : AffinityTest
{
    private const string Rules = "Pools:chat:Affinity:Rules:";

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_client_that_negotiates_anew_with_its_cookie_comes_back_to_its_backend(HttpTransportType transport)
    {
        var instances = Instances(await StartHubsAsync());
        var turn = 0;
        var names = new HashSet<string>();

        for (var client = 0; client < 6; client++)
        {
            var cookies = new CookieContainer();
            var answer = await GetAsync(instances[client % 2]);
            cookies.SetCookies(instances[0].Address, HttpHead.Values(answer, "Set-Cookie").Single());
            for (var circuit = 0; circuit < 5; circuit++)
            {
                await using var connection = HubBackend.Connect(transport, () => instances[Interlocked.Increment(ref turn) % 2].Address, cookies);
                await connection.StartAsync(Wait.Token());
                Assert.Equal(BackendOf(answer), await connection.InvokeAsync<string>("Name", Wait.Token()));
                await connection.StopAsync(Wait.Token());
            }

            names.Add(BackendOf(answer)!);
        }

        Assert.Equal(3, names.Count);
    }

    [Fact]
    public async Task The_token_rules_before_the_cookie()
    {
        var instances = Instances(await StartHubsAsync());
        var cookies = new Dictionary<string, string>();
        while (cookies.Count < 3)
        {
            var answer = await GetAsync(instances[0]);
            cookies[BackendOf(answer)!] = CookieOf(answer)!;
        }

        foreach (var (name, cookie) in cookies)
        {
            // Whatever cookie the client brings afterwards, the connection is where it was negotiated.
            foreach (var other in cookies.Values)
                Assert.Equal(name, await ReachAsync(instances[1], Lane.Raw, Sends(other), "/hub?id=" + await NegotiateAsync(instances[0], cookie)));
        }
    }

    private Balancer[] Instances(EchoBackend[] backends)
    {
        var store = SharedStore.Of(new MemoryPins());
        var settings = PoolOf(backends).With(Rules + "0:SignalR", "").With(Rules + "1:Cookie:Keys:0", RandomKey()).With("Pins:StoreTimeout", "00:00:05");
        return [Start(Lane.Raw, settings, store.AddTo), Start(Lane.Raw, settings, store.AddTo)];
    }

    private async Task<EchoBackend[]> StartHubsAsync()
        => [Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c"))];

    private static async Task<string> NegotiateAsync(Balancer balancer, string cookie)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        var head = await client.AskAsync($"POST /hub/negotiate?negotiateVersion=1 HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n{Sends(cookie)}\r\n");
        using var body = JsonDocument.Parse(await client.ReadBodyAsync(head));
        return body.RootElement.GetProperty("connectionToken").GetString()!;
    }
}
