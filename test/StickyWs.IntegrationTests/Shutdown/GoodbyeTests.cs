using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Shutdown;

/// <summary>The process tells tunnels to go when it is asked to end, long before it has to.</summary>
public sealed class GoodbyeTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Tunnels_are_told_at_the_beginning_and_none_is_cut(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = StartPatient(lane, TrustingPool(backend.Address).With("Pools:chat:Drain:CloseTimeout", "00:00:00.1"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        var stopping = balancer.StopAsync();
        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));
        await stopping;

        Assert.Equal(["Shutdown"], balancer.EndReasons);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event is "TunnelsEndedAtShutdown" or "TunnelsLeftAtShutdown");
        await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(balancer.Address));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Before_that_it_serves_for_the_readiness_delay(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = StartPatient(lane, Pool(backend.Address)
            .With("Pools:chat:Drain:CloseTimeout", "00:00:00.1").With("Shutdown:ReadinessDelay", "00:00:04"));
        var readiness = balancer.Services.GetRequiredService<ProcessReadiness>();

        var stopping = balancer.StopAsync();
        await Wait.UntilAsync(() => readiness.IsLeaving);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await client.WriteAsync("in time");
        Assert.Equal("in time", await server.ReadTextAsync(7));
        Assert.False(stopping.IsCompleted);
        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));
        await stopping;

        Assert.Equal(["Shutdown"], balancer.EndReasons);
        await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(balancer.Address));
    }

    // One that is kept would be closed with the listeners, at whose moment a request may be on its way.
    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Meanwhile_a_kept_connection_ends_with_its_next_response(Lane lane)
    {
        var backend = Owned(await EchoBackend.StartAsync(
            "a", configure: app => app.MapPost("/echo", context => context.Request.Body.CopyToAsync(context.Response.Body))));
        var balancer = StartPatient(lane, Pool(backend.Address).With("Shutdown:ReadinessDelay", "00:00:04"));
        var readiness = balancer.Services.GetRequiredService<ProcessReadiness>();
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        Assert.DoesNotContain("Connection: close", await PostAsync(client, "before"), StringComparison.OrdinalIgnoreCase);

        var stopping = balancer.StopAsync();
        await Wait.UntilAsync(() => readiness.IsLeaving);

        Assert.Contains("Connection: close", await PostAsync(client, "in time"), StringComparison.OrdinalIgnoreCase);
        await client.WaitForEndAsync();
        var other = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        Assert.Contains("Connection: close", await PostAsync(other, "on a new one"), StringComparison.OrdinalIgnoreCase);
        Assert.False(stopping.IsCompleted);
        await stopping;
    }

    [Theory]
    [InlineData("On")]
    [InlineData("Off")]
    public async Task A_process_ends_by_one_signal_with_its_tunnels_told(string rawLane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends signals by kill.");
        await using var backend = RawBackend.Opening();
        using var process = StartProcess(backend, rawLane);
        var (client, server) = await OpenAsync(process, backend);

        process.Send("TERM");
        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));

        Assert.Equal(0, await process.EndsAsync());
        Assert.DoesNotContain("were aborted", process.Output, StringComparison.Ordinal);
    }

    // Nobody tells the tunnel to go, so it would have the host's 30 s.
    [Theory]
    [InlineData("On")]
    [InlineData("Off")]
    public async Task A_second_signal_cuts_at_once(string rawLane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends signals by kill.");
        await using var backend = RawBackend.Opening();
        using var process = StartProcess(backend, rawLane, "--StickyWs:Shutdown:Goodbye=false");
        var (client, server) = await OpenAsync(process, backend);

        process.Send("TERM");
        await Wait.UntilAsync(() => process.Output.Contains("Application is shutting down", StringComparison.Ordinal));
        await client.WriteAsync("still here");
        Assert.Equal("still here", await server.ReadTextAsync(10));
        process.Send("TERM"); // The same stop, delivered twice.
        await client.WriteAsync("and still");
        Assert.Equal("and still", await server.ReadTextAsync(9));
        var ends = Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));
        while (!ends.IsCompleted)
        {
            await Task.WhenAny(ends, Task.Delay(TimeSpan.FromMilliseconds(1100))); // Then it is another one.
            if (!ends.IsCompleted) process.Send("TERM");
        }

        Assert.Equal(0, await process.EndsAsync());
        Assert.Contains("A second signal: 1 tunnels were aborted", process.Output, StringComparison.Ordinal);
    }

    private static async Task<string> PostAsync(RawClient client, string body)
    {
        var head = await client.AskAsync($"POST /echo HTTP/1.1\r\nHost: example.test\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        Assert.Equal((200, body), (HttpHead.Status(head), await client.ReadBodyAsync(head)));
        return head;
    }

    private static BalancerProcess StartProcess(RawBackend backend, string rawLane, params string[] more) => BalancerProcess.StartWithin(
        1024, 1024,
        ["--urls", "http://127.0.0.1:0", $"--StickyWs:Pools:chat:Backends:a:Address={backend.Address}", $"--StickyWs:Transport:RawLane={rawLane}",
            "--StickyWs:Pools:chat:Drain:CloseTimeout=00:00:00.1", .. more]);

    private static async Task SeeOutAsync(Wire wire)
    {
        await wire.WaitForEndAsync();
        await wire.DisposeAsync();
    }

    private async Task<(RawClient Client, Wire Server)> OpenAsync(BalancerProcess process, RawBackend backend)
    {
        var client = OwnedClient(await RawClient.ConnectAsync(await process.ListensAsync()));
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        return (client, await backend.NextTunnelAsync());
    }

    private Balancer StartPatient(Lane lane, LiveSettings settings) => Owned(Balancer.Start(lane, settings, builder => builder.ConfigureServices(
        services => services.PostConfigure<HostOptions>(host => host.ShutdownTimeout = Wait.Bound))));
}
