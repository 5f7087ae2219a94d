using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>What passes through, to the last byte, and how it ends.</summary>
public sealed class EndingTests : PassthroughTest
{
    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Everything_passes_in_both_directions(Door door)
    {
        const int length = 8 * 1024 * 1024;
        var backend = StartTls();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var client = await SecureAsync(balancer, Name);
        await ReadAsync(client, 6);
        var sent = new byte[length];
        new Random(1).NextBytes(sent);

        var sending = client.WriteAsync(sent, Wait.Token());
        var received = new byte[length];
        await client.ReadExactlyAsync(received, Wait.Token());
        await sending;

        Assert.Equal(sent, received);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_client_that_has_finished_still_receives(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var (client, server) = await OpenAsync(balancer, backend);

        await client.WriteAsync("the last of the client");
        await client.FinishAsync();
        Assert.Equal("the last of the client", await server.ReadTextToEndAsync());
        await server.WriteAsync("the last of the backend");
        await server.FinishAsync();

        Assert.Equal("the last of the backend", await client.ReadTextToEndAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("ClientClosed", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task What_a_backend_sends_last_arrives(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var (client, server) = await OpenAsync(balancer, backend);

        await server.WriteAsync("the last");
        await server.FinishAsync();

        Assert.Equal("the last", await client.ReadTextToEndAsync());
        await client.FinishAsync();
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("BackendClosed", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_clients_reset_reaches_the_backend(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var (client, server) = await OpenAsync(balancer, backend);

        client.Reset();

        Assert.False(await server.EndsInOrderAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("ClientReset", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_backends_reset_reaches_the_client(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var (client, server) = await OpenAsync(balancer, backend);

        server.Reset();

        Assert.False(await client.EndsInOrderAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("BackendReset", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task The_pools_idle_time_out_ends_it(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)).With("Pools:mail:Tunnels:IdleTimeout", "00:00:00.3"));
        var (client, server) = await OpenAsync(balancer, backend);

        await client.WaitForEndAsync();
        await server.WaitForEndAsync();

        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("IdleTimeout", balancer.EndReasons[0]);
    }
}
