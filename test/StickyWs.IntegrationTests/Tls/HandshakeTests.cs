using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Handshakes in the raw lane: who is slow, or leaves, is nobody else's trouble, and what was agreed on counts.</summary>
public sealed class HandshakeTests : RawTlsTest, IDisposable
{
    // More than a reactor has places for.
    private const int Crowd = 600;

    private readonly List<Socket> _crowd = [];

    public void Dispose() => _crowd.ForEach(socket => socket.Dispose());

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Clients_that_go_silent_within_the_handshake_do_not_keep_others_out(Lane lane)
    {
        var (balancer, backend) = StartOnOneReactor(lane);
        var hello = await HelloAsync(balancer.Address);
        await CrowdAsync(balancer.Address, hello);

        await using var client = await OpenAsync(balancer);
        await using var tunnel = await backend.NextTunnelAsync();
        await client.Wire.WriteAsync("ping");
        Assert.Equal("ping", await tunnel.ReadTextAsync(4));
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Half_a_hello_takes_no_place(Lane lane)
    {
        var (balancer, backend) = StartOnOneReactor(lane);
        var hello = await HelloAsync(balancer.Address);
        await CrowdAsync(balancer.Address, hello[..^1]);

        await using var client = await OpenAsync(balancer);
        await using var tunnel = await backend.NextTunnelAsync();
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_hello_may_come_byte_by_byte(Lane lane)
    {
        var (balancer, _) = Start(lane);
        var hello = await HelloAsync(balancer.Address);
        using var socket = await ConnectAsync(balancer.Address);
        for (var i = 0; i < hello.Length; i++)
        {
            await socket.SendAsync(hello.AsMemory(i, 1), Wait.Token());
            if (i % 16 == 0) await Task.Yield();
        }

        var answer = new byte[6];
        await socket.ReceiveAsync(answer, Wait.Token());
        Assert.Equal((22, 2), (answer[0], answer[5])); // A ServerHello.
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task An_end_within_the_hello_ends_the_connection(Lane lane)
    {
        var (balancer, _) = Start(lane);
        var hello = await HelloAsync(balancer.Address);
        using var socket = await ConnectAsync(balancer.Address);
        await socket.SendAsync(hello.AsMemory(..^1), Wait.Token());
        socket.Shutdown(SocketShutdown.Send);

        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1], Wait.Token()));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode); // What is left of the hello was never read.
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Who_agreed_on_HTTP2_gets_no_tunnel_by_HTTP1(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        using var socket = await ConnectAsync(balancer.Address);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
            Wait.Token());
        Assert.Equal(SslApplicationProtocol.Http2, tls.NegotiatedApplicationProtocol);

        await using var wire = new Wire(socket, tls);
        await wire.WriteAsync(HttpHead.Handshake("/chat"));
        var answer = await wire.ReadTextToEndAsync();

        Assert.DoesNotContain("101", answer, StringComparison.Ordinal);
        Assert.Equal(0, backend.Connections);
    }

    public static TheoryData<Lane, SslProtocols, bool> Versions()
        => new MatrixTheoryData<Lane, SslProtocols, bool>(RawTlsLanes.Select(lane => lane.Data), [SslProtocols.Tls12, SslProtocols.Tls13], [false, true]);

    // The server speaks last in a handshake of TLS 1.2, and this client first in HTTP: each would wait for the other if the end of the handshake were
    // kept back for the first answer.
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_client_gets_the_whole_handshake_before_it_says_a_word(Lane lane, SslProtocols protocol, bool isHttp2)
    {
        var (balancer, _) = Start(lane);
        using var socket = await ConnectAsync(balancer.Address);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocol,
                ApplicationProtocols = [isHttp2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11],
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
            Wait.Token());

        await using var wire = new Wire(socket, tls);
        if (!isHttp2)
        {
            await wire.WriteAsync("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.Equal("HTTP/1.1 ", await wire.ReadTextAsync(9));
            return;
        }

        await wire.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0");
        var settings = await wire.ReadTextAsync(9);
        Assert.Equal((char)4, settings[3]);
    }

    private (Balancer Balancer, RawBackend Backend) StartOnOneReactor(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var backend = Owned(RawBackend.Opening());
        return (Start(lane, Pool(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat").With("Transport:Reactors", "1")), backend);
    }

    private async Task CrowdAsync(Uri address, byte[] bytes)
    {
        for (var i = 0; i < Crowd; i++)
        {
            _crowd.Add(await ConnectAsync(address));
            await _crowd[^1].SendAsync(bytes, Wait.Token());
        }
    }

    // A real client's.
    private static async Task<byte[]> HelloAsync(Uri address)
    {
        await using var client = await TlsWire.ConnectAsync(address);
        return client.Hello;
    }

    private static async Task<Socket> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), Wait.Token());
        return socket;
    }
}
