using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>What an application sees of a plain HTTP connection, the same on the raw transport as on Kestrel's own.</summary>
public sealed class EndPointTests : TransportTest
{
    public static TheoryData<Lane, string, string> Listeners { get; } = new()
    {
        { Lane.Raw, "127.0.0.1", "127.0.0.1" },
        { Lane.RawEpoll, "127.0.0.1", "127.0.0.1" },
        { Lane.Portable, "127.0.0.1", "127.0.0.1" },
        { Lane.Raw, "0.0.0.0", "127.0.0.1" },
        { Lane.RawEpoll, "0.0.0.0", "127.0.0.1" },
        { Lane.Portable, "0.0.0.0", "127.0.0.1" },
        { Lane.Raw, "::1", "::1" },
        { Lane.RawEpoll, "::1", "::1" },
        { Lane.Portable, "::1", "::1" },
        { Lane.Raw, "::", "127.0.0.1" },
        { Lane.RawEpoll, "::", "127.0.0.1" },
        { Lane.Portable, "::", "127.0.0.1" },
        { Lane.Raw, "::", "::1" },
        { Lane.RawEpoll, "::", "::1" },
        { Lane.Portable, "::", "::1" },
    };

    [Theory]
    [MemberData(nameof(Listeners))]
    public async Task Both_ends_of_a_connection_are_told_right(Lane lane, string listener, string target)
    {
        var isDual = listener == "::" && target == "127.0.0.1";
        ConnectionInfo? seen = null;
        var (localPort, remotePort) = (0, 0);
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Parse(listener), 0), context =>
        {
            seen = context.Connection;
            (localPort, remotePort) = (seen.LocalPort, seen.RemotePort);
            return context.Response.WriteAsync($"{seen.RemoteIpAddress}|{seen.LocalIpAddress}");
        });
        using var socket = new Socket(IPAddress.Parse(target).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Parse(target), balancer.Address.Port, Wait.Token());
        var client = OwnedClient(new RawClient(socket, new NetworkStream(socket)));

        var body = await client.ReadBodyAsync(await client.AskAsync(Ask));

        var expected = isDual ? "::ffff:127.0.0.1" : target;
        Assert.Equal($"{expected}|{expected}", body);
        Assert.Equal(((IPEndPoint)socket.LocalEndPoint!).Port, remotePort);
        Assert.Equal(balancer.Address.Port, localPort);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task The_socket_of_a_connection_is_among_its_features(Lane lane)
    {
        Socket? socket = null;
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), context =>
        {
            socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
            return context.Response.WriteAsync($"{socket?.RemoteEndPoint}");
        });
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        var told = IPEndPoint.Parse(await client.ReadBodyAsync(await client.AskAsync(Ask)));

        Assert.NotNull(socket);
        Assert.Equal(((IPEndPoint)client.Socket.LocalEndPoint!).Port, told.Port);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task The_id_of_a_connection_is_one_for_all_its_requests_and_its_own(Lane lane)
    {
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), context => context.Response.WriteAsync(context.Connection.Id));
        var ids = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            var id = await client.ReadBodyAsync(await client.AskAsync(Ask));
            Assert.Equal(id, await client.ReadBodyAsync(await client.AskAsync(Ask)));
            Assert.Matches("^[0-9A-V]{13}$", id);
            Assert.True(ids.Add(id), $"{id} came twice.");
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task The_id_of_a_connection_is_the_one_in_the_log(Lane lane)
    {
        var id = "";
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), context =>
        {
            id = context.Connection.Id;
            throw new InvalidTimeZoneException("on purpose");
        });
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        Assert.Equal(500, HttpHead.Status(await client.AskAsync(Ask)));

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Exception is InvalidTimeZoneException
            && line.Text.Contains($"Connection id \"{id}\"", StringComparison.Ordinal)));
    }
}
