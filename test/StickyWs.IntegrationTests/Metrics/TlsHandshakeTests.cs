using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using StickyWs.IntegrationTests.Tls;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Metrics;

/// <summary>TLS handshakes with clients in the raw lane are measured; those with backends in <see cref="BackendSessionTests"/>.</summary>
public sealed class TlsHandshakeTests : RawTlsTest
{
    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_handshake_is_measured_with_its_version(Lane lane)
    {
        var (balancer, _) = Start(lane);
        using var handshakes = Collect(balancer);

        foreach (var protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            await using var client = await TlsWire.ConnectAsync(balancer.Address, protocol);
            var measured = await LastAsync(handshakes);
            Assert.Equal("client", measured.Tags["stickyws.tls.side"]);
            Assert.Equal(protocol == SslProtocols.Tls12 ? "1.2" : "1.3", measured.Tags["tls.protocol.version"]);
            Assert.True(measured.ContainsTags("tls.resumed"));
            Assert.False(measured.Tags.ContainsKey("error.type"));
            Assert.InRange(measured.Value, 0, Wait.Bound.TotalSeconds);
            handshakes.Clear();
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_handshake_that_fails_is_measured_with_the_reason(Lane lane)
    {
        var (balancer, _) = Start(lane);
        using var handshakes = Collect(balancer);

        // A ClientHello of no content.
        await FailAsync(balancer, [22, 3, 1, 0, 4, 1, 0, 0, 0], leaves: false);
        Assert.Equal("tls", await ErrorAsync(handshakes));
        await FailAsync(balancer, [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], leaves: true);
        Assert.Equal("abandoned", await ErrorAsync(handshakes));
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task The_certificate_of_an_endpoint_says_how_long_it_is_valid(Lane lane)
    {
        var (balancer, _) = Start(lane);
        await using var client = await TlsWire.ConnectAsync(balancer.Address, SslProtocols.Tls13);
        using var remaining = balancer.Collect<double>("stickyws.tls.certificate.remaining");

        remaining.RecordObservableInstruments();

        var measured = Assert.Single(remaining.GetMeasurementSnapshot());
        Assert.StartsWith("https://", (string)measured.Tags["stickyws.endpoint"]!, StringComparison.Ordinal);
        Assert.True(measured.Value > 0);
    }

    private static MetricCollector<double> Collect(Balancer balancer) => balancer.Collect<double>("stickyws.tls.handshake.duration");

    private static async Task<CollectedMeasurement<double>> LastAsync(MetricCollector<double> handshakes)
    {
        await Wait.UntilAsync(() => handshakes.LastMeasurement is not null);
        return Assert.Single(handshakes.GetMeasurementSnapshot());
    }

    private static async Task<object?> ErrorAsync(MetricCollector<double> handshakes)
    {
        var measured = await LastAsync(handshakes);
        Assert.False(measured.Tags.ContainsKey("tls.protocol.version"));
        handshakes.Clear();
        return measured.Tags["error.type"];
    }

    private static async Task FailAsync(Balancer balancer, byte[] bytes, bool leaves)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(balancer.Address.Host, balancer.Address.Port);
        await using var wire = new Wire(socket, new NetworkStream(socket));
        await wire.WriteAsync(bytes);
        if (leaves) socket.Shutdown(SocketShutdown.Send);
        await wire.WaitForEndAsync();
    }
}
