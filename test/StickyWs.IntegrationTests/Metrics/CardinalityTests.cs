using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Metrics;

public sealed class CardinalityTests : BalancerTest
{
    // Every exporter keeps a series per set of tags for ever.
    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Nothing_that_a_client_sends_becomes_a_tag(Lane lane)
    {
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            string head;
            while (!(head = await backend.TakeHeadAsync(wire)).Contains("Upgrade: websocket", StringComparison.Ordinal))
                await wire.WriteAsync("HTTP/1.1 289 Mark\r\nX-Mark: Mark\r\nContent-Length: 0\r\n\r\n");
            await wire.WriteAsync(HttpHead.SwitchingProtocols(head, "Sec-WebSocket-Protocol: Mark\r\n"));
            await wire.WaitForEndAsync();
            await wire.FinishAsync();
        });
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Affinity:Rules:0:Header:Name", "X-Mark"));
        var tags = new ConcurrentBag<KeyValuePair<string, object?>>();
        using var listener = Listen(balancer, tags);

        var client = await ConnectAsync(balancer, lane);
        foreach (var method in new[] { "MARK", "GET", "OPTIONS", "PROPFIND" })
            await client.AskAsync($"{method} /mark?mark=mark HTTP/1.1\r\nHost: mark.test\r\nX-Mark: mark\r\nUser-Agent: mark\r\nX-Forwarded-For: mark\r\n\r\n");
        var answer = await client.AskAsync(HttpHead.Handshake("/mark?mark", "X-Mark: mark\r\nSec-WebSocket-Protocol: Mark\r\nOrigin: http://mark.test\r\n"));
        Assert.Equal(101, HttpHead.Status(answer));
        await client.DisposeAsync();
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1 && tags.Any(tag => tag.Key == "http.response.status_class"));

        Assert.DoesNotContain(tags, tag => tag.Value!.ToString()!.Contains("mark", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(tags, tag => tag.Key == "stickyws.lane");
        Assert.Subset(
            new HashSet<string>(["stickyws.pool", "stickyws.backend", "stickyws.lane", "stickyws.end_reason", "stickyws.farewell", "stickyws.handshake.outcome",
                "stickyws.affinity.outcome", "stickyws.work",
                "http.response.status_class", "error.type", "stickyws.tls.side", "tls.protocol.version", "tls.resumed"]),
            tags.Select(tag => tag.Key).ToHashSet());
    }

    private static MeterListener Listen(Balancer balancer, ConcurrentBag<KeyValuePair<string, object?>> tags)
    {
        var meter = balancer.Services.GetRequiredService<StickyWsMetrics>().Meter;
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, of, _) => Add(of));
        listener.SetMeasurementEventCallback<double>((_, _, of, _) => Add(of));
        listener.Start();
        return listener;

        void Add(ReadOnlySpan<KeyValuePair<string, object?>> of)
        {
            foreach (var tag in of) tags.Add(tag);
        }
    }
}
