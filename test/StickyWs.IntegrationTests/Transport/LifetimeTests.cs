using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>How connections end that are Kestrel's to end, and how many there may be.</summary>
public sealed class LifetimeTests : TransportTest
{
    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_client_that_breaks_off_aborts_its_request(Lane lane)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), async context =>
        {
            begun.SetResult();
            context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task;
        });
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        await client.WriteAsync(Ask);
        await begun.Task.WaitAsync(Wait.Bound);

        client.Reset();

        await aborted.Task.WaitAsync(Wait.Bound);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_request_that_the_application_aborts_breaks_its_connection(Lane lane)
    {
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        await client.WriteAsync(Ask);

        await client.WaitForEndAsync();
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_connection_at_rest_is_closed_by_Kestrels_own_heartbeat(Lane lane)
    {
        var balancer = Start(lane, kestrel =>
        {
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(1);
            kestrel.Listen(IPAddress.Loopback, 0);
        }, context => context.Response.WriteAsync("hello"));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        Assert.Equal("hello", await client.ReadBodyAsync(await client.AskAsync(Ask)));

        Assert.True(await client.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_connection_middleware_hears_that_a_connection_has_closed(Lane lane)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => connection =>
        {
            connection.ConnectionClosed.Register(closed.SetResult);
            return next(connection);
        })));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        Assert.Equal(200, HttpHead.Status(await client.AskAsync("GET /app HTTP/1.1\r\nHost: a\r\n\r\n")));

        await client.DisposeAsync();

        await closed.Task.WaitAsync(Wait.Bound);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Silent_and_plain_connections_count_against_Kestrels_limit(Lane lane)
    {
        var balancer = Start(lane, kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = 2;
            kestrel.Listen(IPAddress.Loopback, 0);
        }, context => context.Response.WriteAsync("hello"));
        var silent = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        var plain = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        Assert.Equal(200, HttpHead.Status(await plain.AskAsync(Ask)));

        var third = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        await third.WaitForEndAsync();

        await silent.DisposeAsync();
        await AssertServedAgainAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Open_tunnels_do_not_count_against_Kestrels_limit(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = 1;
            kestrel.Listen(IPAddress.Loopback, 0);
        }, context => context.Response.WriteAsync("hello"), backend.Address);
        for (var i = 0; i < 5; i++)
        {
            var (client, server) = await OpenAsync(balancer, backend);
            await client.WriteAsync("x");
            Assert.Equal("x", await server.ReadTextAsync(1));
        }

        Assert.Equal(5, balancer.OpenTunnels);
        await AssertServedAgainAsync(balancer);
    }

    // A place becomes free when Kestrel has let go of its holder, which nobody outside is told.
    private async Task<(RawClient Client, Wire Backend)> OpenAsync(Balancer balancer, RawBackend backend)
    {
        (RawClient, Wire) opened = default;
        await UntilPlaceIsFreeAsync(async () => opened = await OpenTunnelAsync(balancer, Lane.Raw, backend));
        return opened;
    }

    private static async Task AssertServedAgainAsync(Balancer balancer)
    {
        await UntilPlaceIsFreeAsync(async () =>
        {
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            Assert.Equal(200, HttpHead.Status(await client.AskAsync(Ask)));
        });
    }

    private static Task UntilPlaceIsFreeAsync(Func<Task> use) => Wait.UntilAsync(
        async () =>
        {
            try
            {
                await use();
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        },
        "a place that has become free");
}
