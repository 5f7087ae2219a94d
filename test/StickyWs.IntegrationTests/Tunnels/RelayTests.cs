using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

public sealed class RelayTests : BalancerTest
{
    private const int Tunnels = 200;
    private const int Large = 16 * 1024 * 1024;

    // What the buffers of four sockets may grow to where the system is generous (tcp_rmem: 32 MiB, tcp_wmem: 4 MiB); without back-pressure there would be no
    // end.
    private const int KernelBuffers = 128 * 1024 * 1024;

    /// <summary>Sends everything it gets back, with every bit turned, so that a mix-up of the directions shows.</summary>
    private static RawBackend Mirror(bool isTls) => RawBackend.Start(async (backend, wire) =>
    {
        await wire.WriteAsync(HttpHead.SwitchingProtocols(await backend.TakeHeadAsync(wire)));
        var buffer = new byte[64 * 1024];
        while (await wire.ReadAsync(buffer) is > 0 and var read)
        {
            Turn(buffer.AsSpan(0, read));
            await wire.WriteAsync(buffer.AsMemory(0, read));
        }

        await wire.FinishAsync();
    }, certificate: CertificateIf(isTls));

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Random_chunks_arrive_exactly_over_many_tunnels_at_once(Lane lane, bool isTls)
    {
        await using var first = Mirror(isTls);
        await using var second = Mirror(isTls);
        var balancer = Start(lane, TrustingPool(first.Address, second.Address));
        var clients = new RawClient[isTls || lane.IsTls() ? Tunnels / 4 : Tunnels];
        for (var i = 0; i < clients.Length; i++)
        {
            clients[i] = await ConnectAsync(balancer, lane);
            Assert.Equal(101, HttpHead.Status(await clients[i].AskAsync(HttpHead.Handshake())));
        }

        Assert.Equal(clients.Length, balancer.OpenTunnels);
        await Task.WhenAll(clients.Select((client, i) => MirrorAsync(client, seed: i, total: i % 50 == 0 ? Large : 100_000)));

        await Wait.UntilAsync(() => balancer.EndReasons.Count == clients.Length);
        Assert.All(balancer.EndReasons, reason => Assert.Equal("ClientClosed", reason));
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_stalled_reader_stops_the_sender_and_loses_nothing(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Owned(Balancer.Start(lane, TrustingPool(backend.Address), builder => builder.ConfigureServices(LowMinimumRate)));
        var client = OwnedClient(await balancer.ConnectAsync(lane, socket => socket.ReceiveBufferSize = 64 * 1024));
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();

        var sent = 0L;
        using var stop = new CancellationTokenSource();
        var sending = PushAsync(server, bytes => Interlocked.Exchange(ref sent, bytes), stop.Token);
        await UntilStillAsync(() => Interlocked.Read(ref sent), TimeSpan.FromSeconds(5));

        Assert.InRange(Interlocked.Read(ref sent), 1, KernelBuffers);
        await stop.CancelAsync();
        var reading = CountAsync(client);
        var total = await sending;
        await server.FinishAsync();
        Assert.Equal(total, await reading);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_stalled_backend_stops_the_client_and_loses_nothing(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        var sent = 0L;
        using var stop = new CancellationTokenSource();
        var sending = PushAsync(client, bytes => Interlocked.Exchange(ref sent, bytes), stop.Token);
        await UntilStillAsync(() => Interlocked.Read(ref sent), TimeSpan.FromSeconds(1));

        Assert.InRange(Interlocked.Read(ref sent), 1, KernelBuffers);
        await stop.CancelAsync();
        var reading = CountAsync(server);
        var total = await sending;
        await client.FinishAsync();
        Assert.Equal(total, await reading);
    }

    // So low a patience that Kestrel's watch over slow readers would show within the stall if a tunnel were under it.
    private static void LowMinimumRate(IServiceCollection services)
        => services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MinResponseDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.5)));

    private static async Task MirrorAsync(RawClient client, int seed, int total)
    {
        using var sentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var gotHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sending = Task.Run(async () =>
        {
            var random = new Random(seed);
            var chunk = new byte[256 * 1024];
            for (var left = total; left > 0;)
            {
                var bytes = chunk.AsMemory(0, Math.Min(left, random.Next(1, total > 1_000_000 ? chunk.Length : 5000)));
                random.NextBytes(bytes.Span);
                await client.WriteAsync(bytes);
                Turn(bytes.Span);
                sentHash.AppendData(bytes.Span);
                left -= bytes.Length;
            }

            await client.FinishAsync();
        });
        var buffer = new byte[64 * 1024];
        var got = 0;
        while (await client.ReadAsync(buffer) is > 0 and var read)
        {
            gotHash.AppendData(buffer, 0, read);
            got += read;
        }

        await sending;
        Assert.Equal(total, got);
        Assert.Equal(sentHash.GetHashAndReset(), gotHash.GetHashAndReset());
    }

    private static void Turn(Span<byte> bytes)
    {
        foreach (ref var one in bytes) one = (byte)~one;
    }

    // Every 8 bytes are their own number, so that a lost, doubled or swapped piece shows.
    private static async Task<long> PushAsync(Wire wire, Action<long> report, CancellationToken stop)
    {
        var chunk = new byte[32 * 1024];
        var sent = 0L;
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < chunk.Length; i += 8) BinaryPrimitives.WriteInt64BigEndian(chunk.AsSpan(i), sent + i);
            await wire.WriteAsync(chunk);
            report(sent += chunk.Length);
        }

        return sent;
    }

    private static async Task<long> CountAsync(Wire wire)
    {
        var chunk = new byte[32 * 1024];
        var count = 0L;
        while (true)
        {
            var filled = 0;
            while (filled < chunk.Length && await wire.ReadAsync(chunk.AsMemory(filled)) is > 0 and var read) filled += read;
            if (filled == 0) return count;
            for (var i = 0; i < filled; i += 8) Assert.Equal(count + i, BinaryPrimitives.ReadInt64BigEndian(chunk.AsSpan(i)));
            count += filled;
        }
    }

    // A real stall can only be seen as a time in which nothing moves.
    private static async Task UntilStillAsync(Func<long> progress, TimeSpan still)
    {
        await Wait.UntilAsync(() => progress() > 0); // That nothing has moved yet is no stall.
        var last = 0L;
        while (progress() != last)
        {
            last = progress();
            await Task.Delay(still);
        }
    }
}
