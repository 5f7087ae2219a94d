using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>
/// Clients of HTTP that send part of a record and stop. What waits for the rest has no time-out of its own: those of HTTP end it, as what has come of the
/// record is none of the request.
/// </summary>
public sealed class HalfRecordTests : RawTlsTest
{
    private const string Request = "GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n";

    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Half_a_record_instead_of_the_first_request_is_ended_by_the_deadline_of_heads(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var balancer = Start(lane, Pool("http://127.0.0.1:1").With("HeadDeadline", "00:00:01"));
        await using var client = await TlsWire.ConnectAsync(balancer.Address);

        client.Cut();
        await client.Wire.WriteAsync(Request);

        await client.Wire.WaitForEndAsync();
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Half_a_record_between_requests_is_ended_by_the_time_out_of_idle_connections(Lane lane)
    {
        await using var client = await AskAsync(lane, limits => limits.KeepAliveTimeout = Short);

        client.Cut();
        await client.Wire.WriteAsync(Request);

        await client.Wire.WaitForEndAsync();
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Half_a_record_within_a_head_is_ended_by_the_time_out_of_heads(Lane lane)
    {
        await using var client = await AskAsync(lane, limits => limits.RequestHeadersTimeout = Short);

        await client.Wire.WriteAsync(Request[..20]);
        client.Cut();
        await client.Wire.WriteAsync(Request[20..]);

        Assert.StartsWith("HTTP/1.1 408 ", await client.Wire.ReadHeadAsync(), StringComparison.Ordinal);
        await client.Wire.WaitForEndAsync();
    }

    // A connection that has had an answer: it is Kestrel's.
    private async Task<TlsWire> AskAsync(Lane lane, Action<KestrelServerLimits> limit)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var settings = Pool("http://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/chat");
        var balancer = Owned(Balancer.Start(
            lane, settings, web => web.ConfigureServices(services => services.Configure<KestrelServerOptions>(kestrel => limit(kestrel.Limits)))));
        var client = await TlsWire.ConnectAsync(balancer.Address);
        await client.Wire.WriteAsync(Request);
        Assert.StartsWith("HTTP/1.1 200 ", await client.Wire.ReadHeadAsync(), StringComparison.Ordinal);
        var body = $"{TestBalancer.AppAnswer.Length:x}\r\n{TestBalancer.AppAnswer}\r\n0\r\n\r\n";
        Assert.Equal(body, await client.Wire.ReadTextAsync(body.Length));
        return client;
    }
}
