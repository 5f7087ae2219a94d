using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>Clients that break TLS, or use what it allows, where it hurts most.</summary>
public sealed class HostileClientTests : RawTlsTest
{
    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task What_comes_with_the_last_end_reaches_the_backend(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();
        await server.FinishAsync();
        Assert.Equal("", await client.Wire.ReadTextToEndAsync());

        client.Hold();
        await client.Wire.WriteAsync("the last");
        await client.SayCloseNotifyAsync();
        await client.LetGoAsync();

        Assert.Equal("the last", await server.ReadTextToEndAsync());
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task What_comes_with_the_last_FIN_reaches_the_backend(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();
        await server.FinishAsync();
        Assert.Equal("", await client.Wire.ReadTextToEndAsync());

        await client.Wire.WriteAsync("the last");
        client.Finish();

        Assert.Equal("the last", await server.ReadTextToEndAsync());
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task An_upload_to_a_backend_that_has_finished_arrives_whole(Lane lane)
    {
        const int length = 16 * 1024 * 1024;
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();
        await server.FinishAsync();
        Assert.Equal("", await client.Wire.ReadTextToEndAsync());

        var sending = SendAsync();
        Assert.Equal(length, (await server.ReadToEndAsync()).Length);
        await sending;

        async Task SendAsync()
        {
            await client.Wire.WriteAsync(new byte[length - 50_000]);
            client.Hold();
            await client.Wire.WriteAsync(new byte[50_000]);
            await client.SayCloseNotifyAsync();
            await client.LetGoAsync();
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_slow_reader_gets_all_that_a_backend_sent_before_its_end(Lane lane)
    {
        const int length = 12 * 1024 * 1024;
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();
        await client.SayCloseNotifyAsync();
        Assert.Equal("", await server.ReadTextToEndAsync());

        var sending = SendAsync();
        for (var read = 0; read < length; read += 64 * 1024)
        {
            await client.Wire.ReadExactlyAsync(64 * 1024);
            await Task.Yield();
        }

        await sending;
        Assert.Equal("", await client.Wire.ReadTextToEndAsync());
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Error);

        async Task SendAsync()
        {
            await server.WriteAsync(new byte[length]);
            await server.FinishAsync();
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task An_answer_of_any_length_ends_with_a_close_notify(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var length = 0;
        var backend = Owned(RawBackend.Answering(_ => $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n" + new string('x', length)));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat"));
        for (length = 2_400_000; length < 6_000_000; length += 300_007)
        {
            await using var client = await TlsWire.ConnectAsync(balancer.Address);
            client.Wire.Socket.ReceiveBufferSize = 128 * 1024;
            await client.Wire.WriteAsync("GET /chat HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n");

            Assert.True((await client.Wire.ReadToEndAsync()).Length > length);
            Assert.Equal(2 + 1 + 16, client.Records[^1]);
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    [InlineData(Lane.InsideTls)]
    public async Task A_request_and_a_close_notify_may_come_with_the_end_of_the_handshake(Lane lane)
    {
        var (balancer, _) = Start(lane);
        await using var client = await TlsWire.ConnectHoldingAsync(balancer.Address);

        await client.Wire.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n");
        await client.SayCloseNotifyAsync();
        await client.LetGoAsync();

        Assert.Contains(TestBalancer.AppAnswer, await client.Wire.ReadTextToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public Task A_bad_record_behind_a_WebSocket_handshake_is_no_error(Lane lane) => EndsQuietlyAsync(lane, HttpHead.Handshake("/chat"));

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public Task A_bad_record_behind_a_request_is_no_error(Lane lane) => EndsQuietlyAsync(lane, "GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n");

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public Task A_bad_record_behind_half_a_head_is_no_error(Lane lane) => EndsQuietlyAsync(lane, "GET /chat HTTP/1.1\r\nHost: exam");

    private async Task EndsQuietlyAsync(Lane lane, string head)
    {
        var (balancer, _) = Start(lane);
        await using var client = await TlsWire.ConnectAsync(balancer.Address);

        client.Hold();
        await client.Wire.WriteAsync(head);
        client.Tamper();
        await client.Wire.WriteAsync("changed on the way");
        await client.LetGoAsync();

        await Assert.ThrowsAnyAsync<IOException>(() => client.Wire.ReadToEndAsync());
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Error);
    }
}
