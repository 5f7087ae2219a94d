using System.Security.Cryptography;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

public sealed class EndingTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_client_that_has_closed_its_half_still_gets_what_the_backend_says(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await client.WriteAsync("last words");
        await client.FinishAsync();

        Assert.Equal("last words", await server.ReadTextToEndAsync());
        await server.WriteAsync("farewell");
        await server.FinishAsync();
        Assert.Equal("farewell", await client.ReadTextToEndAsync());
        await EndsWithAsync(balancer, "ClientClosed");
    }

    [Theory]
    [MemberData(nameof(PlainLanes))]
    [InlineData(Lane.RawTls)]
    [InlineData(Lane.RawTlsEpoll)]
    [InlineData(Lane.RawTlsKept)]
    public async Task What_the_backend_said_to_a_half_closed_client_outlives_the_tunnel(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(1024 * 1024);

        await client.FinishAsync();
        await server.ReadToEndAsync();
        await server.WriteAsync(farewell);
        await server.FinishAsync();
        await EndsWithAsync(balancer, "ClientClosed");

        Assert.Equal(farewell, await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_small_message_right_before_the_clients_end_is_never_lost(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        for (var i = 0; i < 200; i++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            await client.AskAsync(HttpHead.Handshake());
            await client.WriteAsync("bye");
            await client.FinishAsync();
            var server = await backend.NextTunnelAsync();
            Assert.Equal("bye", await server.ReadTextToEndAsync());
            await server.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task The_backends_end_reaches_the_client_with_all_that_it_said_before(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await server.WriteAsync("farewell");
        await server.FinishAsync();

        Assert.Equal("farewell", await client.ReadTextToEndAsync());
        await client.DisposeAsync();
        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Raw, true)]
    [InlineData(Lane.RawEpoll, true)]
    public async Task In_the_raw_lane_a_client_may_speak_on_when_its_backend_has_finished(Lane lane, bool isTls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await server.FinishAsync();
        Assert.Equal("", await client.ReadTextToEndAsync());
        await client.WriteAsync("one more thing");
        await client.FinishAsync();

        Assert.Equal("one more thing", await server.ReadTextToEndAsync());
        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_client_that_breaks_off_breaks_the_backends_side(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        client.Reset();

        Assert.False(await server.EndsInOrderAsync());
        await EndsWithAsync(balancer, "ClientReset");
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_backend_that_breaks_off_ends_the_clients_side(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        server.Reset();

        await client.WaitForEndAsync();
        await EndsWithAsync(balancer, "BackendReset");
    }

    private static async Task EndsWithAsync(Balancer balancer, string reason)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([reason], balancer.EndReasons);
    }
}
