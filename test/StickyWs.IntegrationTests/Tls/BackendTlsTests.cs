using System.Net;
using System.Net.Sockets;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

public sealed class BackendTlsTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_https_backend_whose_authority_is_known_is_spoken_with(Lane lane)
    {
        var authority = TestCertificate.WriteAuthorityFile();
        try
        {
            await using var backend = RawBackend.Opening(certificate: TestCertificate.Server);
            var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tls:CaCertificateFile", authority));
            var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

            await client.WriteAsync("ping");
            Assert.Equal("ping", await server.ReadTextAsync(4));
            await server.WriteAsync("pong");
            Assert.Equal("pong", await client.ReadTextAsync(4));
            await client.FinishAsync();
            Assert.Equal("", await server.ReadTextToEndAsync());
            await server.WriteAsync("bye");
            await server.FinishAsync();
            Assert.Equal("bye", await client.ReadTextToEndAsync());
        }
        finally
        {
            File.Delete(authority);
        }
    }

    [Fact]
    public async Task An_https_backend_that_nobody_vouches_for_is_a_502()
        => await AssertRefusedAsync(address => Pool(address));

    [Fact]
    public async Task An_https_backend_of_another_name_is_a_502()
    {
        var authority = TestCertificate.WriteAuthorityFile();
        try
        {
            await AssertRefusedAsync(address => Pool(address).With("Pools:chat:Tls:CaCertificateFile", authority)
                .With("Pools:chat:Tls:ServerName", "other.test"));
        }
        finally
        {
            File.Delete(authority);
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_backend_is_found_by_name(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, $"http://localhost:{backend.Port}");
        await OpenTunnelAsync(balancer, lane, backend);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_backend_is_reached_over_IPv6(Lane lane)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 && IsBindable(), "There is no IPv6 loopback here.");
        await using var backend = RawBackend.Opening(address: IPAddress.IPv6Loopback);
        var balancer = Start(lane, backend.Address);
        await OpenTunnelAsync(balancer, lane, backend);
    }

    private static bool IsBindable()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task AssertRefusedAsync(Func<string, LiveSettings> settings)
    {
        await using var backend = RawBackend.Opening(certificate: TestCertificate.Server);
        var balancer = Start(Lane.Raw, settings(backend.Address));
        var client = await ConnectAsync(balancer, Lane.Raw);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("502 Bad Gateway: No backend could be reached.\n", await client.ReadBodyAsync(answer));
        Assert.Empty(backend.Heads);
    }
}
