using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Draining;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Http2;

public abstract class ExtendedConnectTests(Lane lane) : BalancerTest
{
    [Fact]
    public async Task A_WebSocket_over_HTTP2_reaches_an_HTTP1_backend()
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, backends[0].Address);
        using var invoker = Invoker();
        using var socket = await ConnectAsync(balancer, invoker);

        Assert.Equal("chat.v2", socket.SubProtocol);
        Assert.Equal("a", socket.HttpResponseHeaders!["X-Backend"].Single());
        Assert.False(socket.HttpResponseHeaders.ContainsKey("Sec-WebSocket-Accept"));
        await EchoAsync(socket, new string('x', 20_000));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Wait.Token());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task WebSockets_of_one_HTTP2_connection_take_turns()
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, [.. backends.Select(backend => backend.Address)]);
        using var invoker = Invoker();
        using var first = await ConnectAsync(balancer, invoker);
        using var second = await ConnectAsync(balancer, invoker);

        Assert.Equal("a", first.HttpResponseHeaders!["X-Backend"].Single());
        Assert.Equal("b", second.HttpResponseHeaders!["X-Backend"].Single());
        first.Abort();
        await Wait.UntilAsync(() => balancer.OpenTunnels == 1);
        await EchoAsync(second, "the other lives on");
    }

    [Fact]
    public async Task WebSockets_of_one_HTTP2_connection_are_handed_off_with_their_backend()
    {
        var backends = await StartEchoesAsync(2);
        var settings = Pool([.. backends.Select(backend => backend.Address)])
            .With("Pools:chat:Drain:Over", "00:00:00").With("Pools:chat:Drain:CloseTimeout", "00:00:00.1");
        var balancer = Start(lane, settings);
        using var invoker = Invoker();
        using var first = await ConnectAsync(balancer, invoker);
        using var second = await ConnectAsync(balancer, invoker);

        var draining = balancer.Services.GetRequiredService<IBackendControl>().HandOffAsync(BackendTarget.Of("chat", "a"), null, Wait.Token());
        await EndAsync(first);

        Assert.Equal(DrainOutcome.Empty, Assert.Single(await draining).Outcome);
        Assert.Equal(["HandedOff"], balancer.EndReasons);
        await EchoAsync(second, "the other lives on");

        static async Task EndAsync(ClientWebSocket socket)
        {
            try
            {
                var received = await socket.ReceiveAsync(new byte[16].AsMemory(), Wait.Token());
                Assert.Equal(WebSocketMessageType.Close, received.MessageType);
            }
            catch (WebSocketException)
            {
                // Broken off is an end, too.
            }
        }
    }

    // One that was told answers only after the last reload: so all of them are in the middle, however slow the machine is.
    [Fact]
    public async Task A_hundred_reloads_in_the_middle_of_a_hand_off_lose_none_of_them()
    {
        const int half = 500;
        var backends = await StartEchoesAsync(2);
        var settings = Pool([.. backends.Select(backend => backend.Address)])
            .With("Pools:chat:Drain:Over", "00:00:03").With("Pools:chat:Drain:CloseTimeout", "00:00:30");
        var balancer = Start(lane, settings);
        using var invoker = Invoker(); // Opens a further connection with each hundredth WebSocket.
        var sockets = new ClientWebSocket[2 * half];
        for (var i = 0; i < sockets.Length; i++) sockets[i] = await ConnectAsync(balancer, invoker);
        var (going, staying) = (sockets.Where(IsAtA), sockets.Where(socket => !IsAtA(socket)).ToArray());
        var mayEnd = new TaskCompletionSource();
        var ends = going.Select((socket, i) => CloseAsync(socket, i == 0 ? mayEnd.Task : Task.CompletedTask)).ToArray();

        var draining = balancer.Services.GetRequiredService<IBackendControl>().HandOffAsync(BackendTarget.Of("chat", "a"), null, Wait.Token());
        for (var reload = 0; reload < 100; reload++)
        {
            await Wait.UntilAsync(() => ends.Count(end => end.IsCompletedSuccessfully) >= (half - 1) * reload / 100);
            await ReloadAsync(balancer, TimeSpan.FromSeconds(1 + reload));
            await EchoAsync(staying[reload], "still");
        }

        Assert.False(draining.IsCompleted);
        mayEnd.SetResult();
        var status = Assert.Single(await draining);
        Assert.Equal((DrainOutcome.Empty, half, half, 0, 0), (status.Outcome, status.Total, status.Told, status.Cut, status.Left));
        Assert.All(await Task.WhenAll(ends), code => Assert.Equal(1012, code));
        await Wait.UntilAsync(() => balancer.EndReasons.Count == half);
        Assert.All(balancer.EndReasons, reason => Assert.Equal("HandedOff", reason));
        Assert.Equal(half, balancer.OpenTunnels);
        foreach (var socket in staying) await EchoAsync(socket, "still");
        foreach (var socket in sockets) socket.Dispose();

        static bool IsAtA(ClientWebSocket socket) => socket.HttpResponseHeaders!["X-Backend"].Single() == "a";

        static async Task<int> CloseAsync(ClientWebSocket socket, Task mayAnswer)
        {
            var received = await socket.ReceiveAsync(new byte[16].AsMemory(), Wait.Token());
            Assert.Equal(WebSocketMessageType.Close, received.MessageType);
            await mayAnswer;
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Wait.Token());
            return (int)socket.CloseStatus!;
        }
    }

    [Fact]
    public async Task WebSockets_of_one_HTTP2_connection_are_spread_over_a_backend_that_is_added()
    {
        var backends = await StartEchoesAsync(2);
        var settings = Pool(backends[0].Address)
            .With("Pools:chat:Rebalance:Rate", "1000").With("Pools:chat:Rebalance:MinimumIdle", "00:00:00")
            .With("Pools:chat:Rebalance:SettleTime", "00:00:00").With("Pools:chat:Drain:CloseTimeout", "00:00:00.1");
        var balancer = Start(lane, settings);
        using var invoker = Invoker();
        using var first = await ConnectAsync(balancer, invoker);
        using var second = await ConnectAsync(balancer, invoker);

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:b:Address"] = backends[1].Address);
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        using var back = await ConnectAsync(balancer, invoker);

        Assert.Equal(["Rebalanced"], balancer.EndReasons);
        Assert.Equal("b", back.HttpResponseHeaders!["X-Backend"].Single());
        await EchoAsync(back, "at home");
    }

    [Fact]
    public async Task A_WebSocket_at_rest_is_not_taken_for_a_slow_body()
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Owned(Balancer.Start(lane, Pool(backends[0].Address), builder => builder.ConfigureServices(services
            => services.Configure<KestrelServerOptions>(
                kestrel => kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.1))))));
        using var invoker = Invoker();
        using var socket = await ConnectAsync(balancer, invoker);

        // Kestrel's watch has no event that says that it looked and was content: only time shows it.
        var received = socket.ReceiveAsync(new byte[16].AsMemory(), Wait.Token()).AsTask();
        await Task.WhenAny(received, Task.Delay(TimeSpan.FromSeconds(4)));

        Assert.False(received.IsCompleted);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());
        Assert.Equal(5, (await received).Count);
    }

    [Fact]
    public async Task A_backend_that_declines_is_heard_over_HTTP2()
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        var balancer = Start(lane, backend.Address);
        using var invoker = Invoker();
        using var socket = new ClientWebSocket();
        Prepare(socket);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Target(balancer), invoker, Wait.Token()));

        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_backend_said_before_its_end_reaches_a_slow_client_that_goes_on_sending(bool isInOrder)
    {
        const int size = 128 * 1024;
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var invoker = Invoker();
        using var request = Request(balancer);
        using var response = await invoker.SendAsync(request, Wait.Token());
        await using var client = await response.Content.ReadAsStreamAsync(Wait.Token());
        var server = await backend.NextTunnelAsync();
        var farewell = RandomNumberGenerator.GetBytes(size);

        await server.WriteAsync(farewell);
        if (isInOrder) await server.FinishAsync();
        await Wait.UntilAsync(() => SentQueue.IsEmpty(server.Socket));
        if (isInOrder) await server.DisposeAsync();
        else server.Reset();

        var heard = new MemoryStream();
        var buffer = new byte[8 * 1024];
        var isSending = true;
        while (heard.Length < size && await client.ReadAsync(buffer, Wait.Token()) is > 0 and var read)
        {
            heard.Write(buffer, 0, read);
            if (isSending) isSending = await TrySendAsync(client);
        }

        Assert.Equal(farewell, heard.ToArray());
    }

    [Fact]
    public async Task What_a_client_says_behind_its_backends_end_still_reaches_the_backend()
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var invoker = Invoker();
        using var request = Request(balancer);
        using var response = await invoker.SendAsync(request, Wait.Token());
        await using var client = await response.Content.ReadAsStreamAsync(Wait.Token());
        var server = await backend.NextTunnelAsync();

        await server.WriteAsync("end");
        await server.FinishAsync();
        await client.ReadExactlyAsync(new byte[3], Wait.Token());
        await client.WriteAsync("the last word"u8.ToArray(), Wait.Token());
        await client.FlushAsync(Wait.Token());

        Assert.Equal("the last word", await server.ReadTextAsync(13));
    }

    private static HttpRequestMessage Request(Balancer balancer)
    {
        var request = new HttpRequestMessage(HttpMethod.Connect, $"https://{balancer.Address.Authority}/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        request.Headers.Protocol = "websocket";
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        return request;
    }

    private static async Task<bool> TrySendAsync(Stream client)
    {
        try
        {
            await client.WriteAsync(new byte[512], Wait.Token());
            await client.FlushAsync(Wait.Token());
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("Content-Length: 0\r\n")]
    [InlineData("Content-Length: x\r\nTransfer-Encoding: chunked\r\n")]
    public async Task A_101_that_announces_a_body_opens_a_WebSocket_over_HTTP2(string framing)
    {
        await using var backend = RawBackend.Opening("Sec-WebSocket-Protocol: chat.v2\r\n" + framing);
        var balancer = Start(lane, backend.Address);
        using var invoker = Invoker();

        using var socket = await ConnectAsync(balancer, invoker);

        Assert.All(["Content-Length", "Transfer-Encoding"], name => Assert.False(socket.HttpResponseHeaders!.ContainsKey(name)));
        var server = await backend.NextTunnelAsync();
        await server.WriteAsync(new byte[] { 0x81, 2, (byte)'h', (byte)'i' });
        var buffer = new byte[8];
        Assert.Equal(2, (await socket.ReceiveAsync(buffer.AsMemory(), Wait.Token())).Count);
    }

    private static HttpMessageInvoker Invoker() => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        EnableMultipleHttp2Connections = true,
    });

    private static async Task<ClientWebSocket> ConnectAsync(Balancer balancer, HttpMessageInvoker invoker)
    {
        var socket = new ClientWebSocket();
        Prepare(socket);
        await socket.ConnectAsync(Target(balancer), invoker, Wait.Token());
        return socket;
    }

    private static void Prepare(ClientWebSocket socket)
    {
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol("chat.v2");
    }

    private static Uri Target(Balancer balancer) => new($"wss://{balancer.Address.Authority}/room?x=1");

    private static async Task EchoAsync(WebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());
        var all = new StringBuilder();
        var buffer = new byte[1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), Wait.Token());
            all.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
            if (received.EndOfMessage) break;
        }

        Assert.Equal(text, all.ToString());
    }

    public sealed class InKestrel() : ExtendedConnectTests(Lane.InsideTls);

    public sealed class InTheRawLane() : ExtendedConnectTests(Lane.RawTls);

    public sealed class InTheRawLaneWithOpenSsl() : ExtendedConnectTests(Lane.RawTlsKept);
}
