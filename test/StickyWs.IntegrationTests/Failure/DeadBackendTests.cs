using System.Net;
using System.Net.Sockets;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

public sealed class DeadBackendTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task With_one_of_three_backends_dead_and_unnoticed_no_handshake_fails(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        var addresses = backends.Select(backend => backend.Address).ToArray();
        var balancer = Start(lane, addresses);
        await backends[1].StopHardAsync();

        var failures = 0;
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            await using var client = await balancer.ConnectAsync(lane);
            if (HttpHead.Status(await client.AskAsync(HttpHead.Handshake())) != 101) Interlocked.Increment(ref failures);
        });

        Assert.Equal(0, failures);
        Assert.Equal(0, backends[1].WebSockets);
        await Wait.UntilAsync(() => backends[0].WebSockets + backends[2].WebSockets == 300);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task With_all_backends_dead_it_is_a_502(Lane lane)
    {
        var balancer = Start(lane, RefusingAddress(), RefusingAddress());
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("502 Bad Gateway: No backend could be reached.\n", await client.ReadBodyAsync(answer));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_backend_that_takes_no_connection_in_time_is_passed_over(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lets a full backlog swallow connects.");
        using var full = DeafListener.StartFull();
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(full.Address.AbsoluteUri, backend.Address).With("Pools:chat:Timeouts:Connect", "00:00:01"));

        await OpenTunnelAsync(balancer, lane, backend);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task When_none_takes_the_connection_in_time_it_is_a_504(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lets a full backlog swallow connects.");
        using var full = DeafListener.StartFull();
        var balancer = Start(lane, Pool(full.Address.AbsoluteUri).With("Pools:chat:Timeouts:Connect", "00:00:00.2"));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(504, HttpHead.Status(answer));
        Assert.Equal("504 Gateway Timeout: No backend accepted the connection in time.\n", await client.ReadBodyAsync(answer));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Without_an_enabled_backend_it_is_a_503_that_says_when_to_come_again(Lane lane)
    {
        var settings = Pool(RefusingAddress()).With("Pools:chat:Backends:a:Enabled", "false").With("Pools:chat:RetryAfter", "00:00:07");
        var balancer = Start(lane, settings);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(503, HttpHead.Status(answer));
        Assert.InRange(HttpHead.RetryAfter(answer), 7, 14);
        Assert.Equal("503 Service Unavailable: No backend is available.\n", await client.ReadBodyAsync(answer));
    }

    /// <summary>A port that was free a moment ago.</summary>
    private static string RefusingAddress()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return $"http://{socket.LocalEndPoint}";
    }
}
