using System.Net;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Names;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Backends whose name has several addresses, some of them dead.</summary>
public abstract class AddressTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_request_reaches_the_address_that_lives(string method)
    {
        await using var a = await KestrelBackend.StartAsync("a");
        await using var proxy = await StartAsync(_ => { }, Named, new Uri($"http://several.test:{a.Address.Port}"));
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/"));
        Assert.Equal("a", await answer.Content.ReadAsStringAsync());
        Assert.Empty(proxy.Outcomes.Failures);
    }

    [Fact]
    public async Task A_handshake_reaches_the_address_that_lives()
    {
        await using var a = TestKit.RawBackend.Opening();
        await using var proxy = await StartAsync(_ => { }, Named, new Uri($"http://several.test:{a.Port}"));
        await using var client = await RawClient.ConnectAsync(proxy.Http1);
        Assert.StartsWith("HTTP/1.1 101", await client.AskAsync(
            "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        Assert.Empty(proxy.Outcomes.Failures);
    }

    private static void Named(IServiceCollection services) => services.AddSingleton<INameResolver>(new Several());

    public sealed class OnIoUring() : AddressTests(Lane.Raw);

    public sealed class OnEpoll() : AddressTests(Lane.RawEpoll);

    public sealed class Portable() : AddressTests(Lane.Portable);

    public sealed class Direct() : AddressTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : AddressTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : AddressTests(Lane.RawTls, isDirect: true);

    private sealed class Several : INameResolver
    {
        public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
            => new([IPAddress.Parse("127.0.0.99"), IPAddress.Loopback]);
    }
}
