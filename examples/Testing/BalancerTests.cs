using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Options;

namespace StickyWs.Examples.Testing;

/// <summary>Tests of examples/Minimal as a whole, with its <c>Program.cs</c> and its <c>appsettings.json</c>. Only the backends are the tests'.</summary>
public sealed class BalancerTests : IAsyncLifetime
{
    private TestBackend _a = null!;
    private TestBackend _b = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (_a, _b) = (await TestBackend.StartAsync("a"), await TestBackend.StartAsync("b"));

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task Plain_requests_take_turns()
    {
        await using var app = StartApp();
        using var client = app.CreateClient();

        string[] answers = [await client.GetStringAsync("/", Token), await client.GetStringAsync("/", Token)];

        Assert.Equal(["a", "b"], answers.Order());
    }

    [Fact]
    public async Task WebSockets_take_turns_and_stay_where_they_are()
    {
        await using var app = StartApp();
        var client = app.Server.CreateWebSocketClient();
        using var first = await client.ConnectAsync(new Uri("ws://localhost/ws"), Token);
        using var second = await client.ConnectAsync(new Uri("ws://localhost/ws"), Token);

        string[] answers = [await AskAsync(first, "hi"), await AskAsync(second, "hi")];
        string[] later = [await AskAsync(first, "hi"), await AskAsync(second, "hi")];

        Assert.Equal(["a: hi", "b: hi"], answers.Order());
        Assert.Equal(answers, later);
    }

    [Fact]
    public async Task A_WebSocket_over_a_real_connection_reaches_a_backend()
    {
        await using var app = StartApp();
        app.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app.StartServer();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(app.ClientOptions.BaseAddress) { Scheme = "ws", Path = "/ws" }.Uri, Token);

        var answer = await AskAsync(socket, "hi");

        Assert.Matches("^[ab]: hi$", answer);
    }

    [Fact]
    public async Task An_error_in_the_configuration_stops_the_start()
    {
        await using var app = StartApp(web => web.UseSetting("StickyWs:Pools:chat:Backends:a:Address", "localhost:5001"));

        var error = Assert.ThrowsAny<OptionsValidationException>(() => app.Server);

        Assert.Contains("StickyWs:Pools:chat:Backends:a:Address", Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    private WebApplicationFactory<Program> StartApp(Action<IWebHostBuilder>? configure = null)
        => new WebApplicationFactory<Program>().WithWebHostBuilder(web =>
        {
            web.UseSetting("StickyWs:Pools:chat:Backends:a:Address", _a.Address);
            web.UseSetting("StickyWs:Pools:chat:Backends:b:Address", _b.Address);
            configure?.Invoke(web);
        });

    private static async Task<string> AskAsync(WebSocket socket, string question)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(question), WebSocketMessageType.Text, endOfMessage: true, Token);
        var buffer = new byte[1024];
        var answer = await socket.ReceiveAsync(buffer, Token);
        return Encoding.UTF8.GetString(buffer, 0, answer.Count);
    }
}
