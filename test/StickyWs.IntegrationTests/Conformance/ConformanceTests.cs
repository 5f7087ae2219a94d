using System.Net;
using System.Net.Security;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>
/// The traffic of right and of wrong clients, cut at random places, is answered through the balancer byte for byte as it is without it, and the balancer
/// knows of each tunnel whether it ended with a word.
/// </summary>
public sealed class ConformanceTests : BalancerTest
{
    private const int Parallel = 8;

    public static TheoryData<Lane, bool, string> Everything { get; } =
    [
        .. from row in EveryLaneAndBackend
        from category in TrafficCases.Categories
        where !row.Data.Item2 || category is "sizes" or "fragments" // To backends with TLS the frames are the same.
        select new TheoryDataRow<Lane, bool, string>(row.Data.Item1, row.Data.Item2, category),
    ];

    public static TheoryData<string> Categories { get; } = new(TrafficCases.Categories);

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task A_backend_and_its_clients_meet_as_without_a_balancer(Lane lane, bool isTls, string category)
    {
        await using var backend = new StrictBackend(CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Raw.Address));

        await MeetAsync(balancer, backend, category, async target =>
        {
            var client = await balancer.ConnectAsync(lane);
            return await ShakeAsync(client, target);
        });
    }

    [Theory]
    [MemberData(nameof(Categories))]
    public async Task And_so_they_do_over_HTTP2(string category)
    {
        await using var backend = new StrictBackend();
        var balancer = Start(Lane.InsideTls, backend.Raw.Address);
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        });

        await MeetAsync(balancer, backend, category, async target =>
        {
            var request = new HttpRequestMessage(HttpMethod.Connect, $"https://{balancer.Address.Authority}{target}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.Protocol = "websocket";
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
            var response = await invoker.SendAsync(request, Wait.Token());
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return new StreamTalker(await response.Content.ReadAsStreamAsync(Wait.Token()));
        });
    }

    private static async Task MeetAsync(Balancer balancer, StrictBackend backend, string category, Func<string, Task<ITalker>> connect)
    {
        using var ended = balancer.Collect<long>("stickyws.tunnels.ended");
        var cases = TrafficCases.Of(category);
        await System.Threading.Tasks.Parallel.ForAsync(0, cases.Count, new ParallelOptions { MaxDegreeOfParallelism = Parallel }, async (i, _) =>
        {
            var one = cases[i];
            var direct = await TalkAsync(await ShakeAsync(await RawClient.ConnectAsync(new Uri(backend.Raw.Address)), $"/direct/{i}"), one, i);
            var through = await TalkAsync(await connect($"/through/{i}"), one, i);

            Assert.True(direct.Length > 0 || one.Frames.Count == 0, $"{one}: the backend said nothing.");
            Assert.True(direct.AsSpan().SequenceEqual(through), $"{one}: {through.Length} B came back, and directly {direct.Length} B: {Show(through)}");
            var heard = await backend.HeardAsync($"/through/{i}");
            Assert.True(one.Bytes.AsSpan().StartsWith(heard), $"{one}: the backend got {heard.Length} B that are not the first of {one.Bytes.Length}.");
            if (one.IsInOrder) Assert.InRange(heard.Length, one.UpToClose, one.Bytes.Length);
        });

        await Wait.UntilAsync(() => ended.GetMeasurementSnapshot().Count == cases.Count);
        var farewells = ended.GetMeasurementSnapshot().Select(tunnel => (string)tunnel.Tags["stickyws.farewell"]!).ToList();
        Assert.InRange(farewells.Count(farewell => farewell == "both"), cases.Count(one => one.IsInOrder), cases.Count);
    }

    private static async Task<ITalker> ShakeAsync(RawClient client, string target)
    {
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake(target))));
        return new WireTalker(client);
    }

    // Sends and reads at the same time, to the backend's end. One that broke a rule may be cut off while it still sends.
    private static async Task<byte[]> TalkAsync(ITalker client, TrafficCase one, int seed)
    {
        await using (client)
        {
            var reading = Task.Run(client.ReadToEndAsync);
            try
            {
                await SendAsync(client, one.Bytes, new Random(seed));
            }
            catch (Exception e) when (e is IOException or HttpRequestException && (!one.IsInOrder || one.UpToClose < one.Bytes.Length))
            {
                // The backend has said its last word, which is being read.
            }

            return await reading;
        }
    }

    private static async Task SendAsync(ITalker client, ReadOnlyMemory<byte> bytes, Random random)
    {
        var isTrickled = bytes.Length < 2000 && random.Next(2) == 0;
        while (!bytes.IsEmpty)
        {
            var most = isTrickled ? 1 : random.Next(3) == 0 ? 14 : Math.Max(64, bytes.Length / 4);
            var piece = bytes[..Math.Min(bytes.Length, random.Next(1, most + 1))];
            await client.WriteAsync(piece);
            bytes = bytes[piece.Length..];
        }
    }

    private static string Show(byte[] bytes) => Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 64)));
}
