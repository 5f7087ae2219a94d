using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Hosting;

public sealed class SignalRTests : BalancerTest
{
    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.RawEpoll)]
    [InlineData(Lane.Portable)]
    [InlineData(Lane.InsideTls)]
    [InlineData(Lane.SniffedInsideTls)]
    [InlineData(Lane.RawTls)]
    [InlineData(Lane.RawTlsKept)]
    public async Task SignalRs_own_client_talks_with_one_hub_through_the_balancer(Lane lane)
    {
        var backends = new List<EchoBackend>();
        foreach (var name in new[] { "a", "b" })
        {
            backends.Add(Owned(await EchoBackend.StartAsync(name, configure: app => app.MapHub<NamingHub>("/hub"), services: services =>
            {
                services.AddSignalR();
                services.AddSingleton(new HubName(name));
            })));
        }

        var balancer = Start(lane, [.. backends.Select(backend => backend.Address)]);
        foreach (var expected in new[] { "a", "b", "a" })
        {
            await using var connection = new HubConnectionBuilder().WithUrl(new Uri(balancer.Address, "hub"), options =>
            {
                options.Transports = HttpTransportType.WebSockets;
                options.SkipNegotiation = true;
                options.WebSocketConfiguration = socket => socket.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
            }).Build();
            await connection.StartAsync(Wait.Token());
            for (var i = 0; i < 5; i++) Assert.Equal(expected, await connection.InvokeAsync<string>("Name", Wait.Token()));
            await connection.StopAsync(Wait.Token());
        }
    }

    private sealed record HubName(string Name);

    private sealed class NamingHub(HubName name) : Hub
    {
        public string Name() => name.Name;
    }
}
