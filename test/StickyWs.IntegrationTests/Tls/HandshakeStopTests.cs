using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>The server stops while there are TLS handshakes in every phase.</summary>
public sealed class HandshakeStopTests : RawTlsTest, IDisposable
{
    // More than a reactor has places for, so that some of them wait for one.
    private const int Silent = 600;
    private const int Few = 50;

    private readonly List<Socket> _crowd = [];

    public void Dispose() => _crowd.ForEach(socket => socket.Dispose());

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Every_handshake_under_way_ends_and_holds_nobody(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var backend = Owned(RawBackend.Opening());
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat").With("Transport:Reactors", "1"));
        using var ended = balancer.Collect<double>("stickyws.tls.handshake.duration");
        byte[] hello;
        await using (var client = await TlsWire.ConnectAsync(balancer.Address)) hello = client.Hello;
        await using var last = await TlsWire.ConnectHoldingAsync(balancer.Address); // It has its answer, and its Finished is to come.
        for (var i = 0; i < Few; i++) await ConnectAsync(balancer.Address, []);
        for (var i = 0; i < Few; i++) await ConnectAsync(balancer.Address, hello[..^1]);
        for (var i = 0; i < Silent; i++) await ConnectAsync(balancer.Address, hello);
        var comers = Enumerable.Range(0, Few).Select(_ => ComeAsync(balancer.Address)).ToArray();

        await balancer.StopAsync();

        await Task.WhenAll(comers);
        foreach (var socket in _crowd) await EndAsync(socket);
        await balancer.AssertNoLeasesAsync();
        var (all, inTime) = (ended.GetMeasurementSnapshot().Count, ended.GetMeasurementSnapshot().Count(one => !one.Tags.ContainsKey("error.type")));
        Assert.True(all > inTime, $"{all} handshakes, of which {inTime} were over in time");
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Error);
    }

    // A whole handshake, which the stop may break off at any step.
    private static async Task ComeAsync(Uri address)
    {
        try
        {
            await using var client = await TlsWire.ConnectAsync(address);
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            // The server was faster.
        }
    }

    private async Task ConnectAsync(Uri address, byte[] bytes)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _crowd.Add(socket);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), Wait.Token());
        if (bytes.Length > 0) await socket.SendAsync(bytes, Wait.Token());
    }

    private static async Task EndAsync(Socket socket)
    {
        var buffer = new byte[8 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, Wait.Token()) > 0)
            {
                // What was answered before the end.
            }
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }
}
