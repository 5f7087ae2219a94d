using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.IntegrationTests.Tls;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Reload;

/// <summary>An endpoint's section is edited, added or removed.</summary>
public sealed class EndpointChangeTests : ReloadTest
{
    private const string Get = "GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n";

    [Fact]
    public async Task A_kept_connection_of_an_edited_endpoint_is_answered_once_more_and_then_closed()
    {
        var (settings, address) = Plain();
        var balancer = StartConfigured(settings);
        await using var client = await RawClient.ConnectAsync(address);
        Assert.DoesNotContain("Connection: close", await AskAsync(client), StringComparison.OrdinalIgnoreCase);

        await EditAsync(balancer, 1);
        await AskUntilClosingAsync(client);

        Assert.Equal("", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task A_request_under_way_is_answered_however_often_its_endpoint_is_edited_and_the_stop_waits_for_it()
    {
        var backend = Owned(RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            backend.GiveToTest(wire);
        }));
        var (settings, address) = Plain(backend.Address);
        var balancer = StartConfigured(settings, configure: static host => host.ConfigureServices(
            static services => services.Configure<HostOptions>(static options => options.ShutdownTimeout = Wait.Bound)));
        await using var client = await RawClient.ConnectAsync(address);
        await client.WriteAsync("GET /chat HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await using var answer = await backend.NextTunnelAsync();

        for (var i = 1; i <= 3; i++) await EditAsync(balancer, i);
        Assert.All(balancer.Log.Lines.Where(line => line.Event == "ListenerHandedOver"),
            line => Assert.Contains("with 1 connections", line.Text, StringComparison.Ordinal));
        var stopping = balancer.StopAsync();
        await Wait.UntilAsync(() => balancer.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        await Wait.UntilAsync(async () => !await ListensAsync(address));
        await answer.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 204 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await stopping;
    }

    [Fact]
    public async Task A_client_in_the_middle_of_its_head_goes_on_behind_the_edit()
    {
        var (settings, address) = Plain();
        var balancer = StartConfigured(settings);
        await using var client = await RawClient.ConnectAsync(address);
        await client.WriteAsync("GET /ap");

        await EditAsync(balancer, 1);

        await client.WriteAsync("p HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_in_the_middle_of_its_TLS_handshake_goes_on_behind_the_edit()
    {
        var (settings, address) = Https();
        var balancer = StartConfigured(settings);
        var connecting = TlsWire.ConnectHoldingAsync(address);
        await using var client = await connecting;

        await EditAsync(balancer, 1);

        await client.LetGoAsync();
        await client.Wire.WriteAsync(Get);
        Assert.StartsWith("HTTP/1.1 200 ", await client.Wire.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("SslStream")]
    public async Task A_kept_connection_within_TLS_moves_too(string tls)
    {
        var (settings, address) = Https();
        var balancer = StartConfigured(settings, tls);
        await using var client = await RawClient.ConnectAsync(address);
        await AskAsync(client);

        await EditAsync(balancer, 1);

        await AskUntilClosingAsync(client);
    }

    [Fact]
    public async Task A_connection_of_HTTP_2_serves_its_streams_and_then_the_client_goes_to_another()
    {
        var (settings, address) = Https();
        var balancer = StartConfigured(settings);
        var connections = 0;
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new() { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
            ConnectCallback = async (context, token) =>
            {
                connections++;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        await AskAsync();
        balancer.Settings.Change(data => data["Kestrel:Endpoints:Main:SslProtocols:0"] = "Tls13");
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "ListenerHandedOver"));

        await AskAsync();
        Assert.Equal(1, connections);
        await Wait.UntilAsync(async () =>
        {
            await AskAsync();
            return connections == 2;
        });

        async Task AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/app"))
            {
                Version = System.Net.HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var response = await http.SendAsync(request, Wait.Token());
            Assert.Equal(TestBalancer.AppAnswer, await response.Content.ReadAsStringAsync(Wait.Token()));
        }
    }

    // Kestrel's time-outs are counted by its heartbeat.
    [Fact]
    public async Task A_connection_that_moved_still_has_its_timeouts()
    {
        var (settings, address) = Plain();
        var balancer = StartConfigured(settings,
            configure: host => host.ConfigureKestrel(kestrel => kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(2)));
        await using var client = await RawClient.ConnectAsync(address);
        await AskAsync(client);

        await EditAsync(balancer, 1);

        Assert.Equal("", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task A_new_endpoint_leaves_the_others_alone_and_a_removed_one_is_closed()
    {
        var (settings, address) = Plain();
        var balancer = StartConfigured(settings);
        await using var client = await RawClient.ConnectAsync(address);
        await AskAsync(client);
        var other = FreePort();

        balancer.Settings.Change(data => data["Kestrel:Endpoints:Other:Url"] = $"http://127.0.0.1:{other}");
        var added = new Uri($"http://127.0.0.1:{other}");
        await Wait.UntilAsync(() => ListensAsync(added));
        await using var late = await RawClient.ConnectAsync(added);
        await AskAsync(late);
        Assert.DoesNotContain("Connection: close", await AskAsync(client), StringComparison.OrdinalIgnoreCase);

        balancer.Settings.Change(data => data.Remove("Kestrel:Endpoints:Main:Url"));
        Assert.Equal("", await client.ReadTextToEndAsync());
        await Wait.UntilAsync(async () => !await ListensAsync(address));
        Assert.DoesNotContain("Connection: close", await AskAsync(late), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "ListenerHandedOver");
    }

    private static async Task<string> AskAsync(RawClient client)
    {
        var head = await client.AskAsync(Get);
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Equal(TestBalancer.AppAnswer, await client.ReadBodyAsync(head));
        return head;
    }

    // The listener is handed over before its connections are. A request in between does not know yet.
    private static Task AskUntilClosingAsync(RawClient client)
        => Wait.UntilAsync(async () => (await AskAsync(client)).Contains("Connection: close", StringComparison.OrdinalIgnoreCase));

    private static async Task<bool> ListensAsync(Uri address)
    {
        try
        {
            await using var client = await RawClient.ConnectAsync(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // The nth edit of the endpoint; its value changes each time.
    private static Task EditAsync(Balancer balancer, int count)
    {
        balancer.Settings.Change(data => data["Kestrel:Endpoints:Main:Protocols"] = count % 2 == 0 ? "Http1AndHttp2" : "Http1");
        return Wait.UntilAsync(() => balancer.Log.Lines.Count(line => line.Event == "ListenerHandedOver") == count);
    }

    private static (LiveSettings Settings, Uri Address) Plain(string backend = "http://127.0.0.1:1") => Configured("http", backend);

    private (LiveSettings Settings, Uri Address) Https()
    {
        WriteCertificate(FileOf("main.pfx"), "localhost");
        var (settings, address) = Configured("https", "http://127.0.0.1:1");
        settings.Change(data => data["Kestrel:Endpoints:Main:Certificate:Path"] = FileOf("main.pfx"));
        return (settings, address);
    }

    private static (LiveSettings Settings, Uri Address) Configured(string scheme, string backend)
    {
        var address = new Uri($"{scheme}://127.0.0.1:{FreePort()}");
        var settings = Pool(backend);
        settings.Change(data => data["Kestrel:Endpoints:Main:Url"] = address.GetLeftPart(UriPartial.Authority));
        return (settings, address);
    }
}
