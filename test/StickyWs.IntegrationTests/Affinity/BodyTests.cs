using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>Answers that are looked into for a token reach the client as they are.</summary>
public sealed class BodyTests : AffinityTest
{
    private const string Rules = "Pools:chat:Affinity:Rules:";
    private const string Negotiate = "POST /hub/negotiate?negotiateVersion=1";
    private const string Open = "GET /socket.io/?EIO=4&transport=polling";

    public static MatrixTheoryData<string, int, bool> Bodies { get; } =
        new([Negotiate, Open], [0, 1, 200, 16_383, 16_384, 16_385, 100_000, 3_000_000], [true, false]);

    /// <summary>A request, and whether its answer is looked into.</summary>
    public static TheoryData<string, bool> Requests { get; } = new()
    {
        { Negotiate, true },
        { "POST /hub/negotiate", true },
        { "POST /HUB/Negotiate?x=1", true },
        { "GET /hub/negotiate", false },
        { "POST /hub", false },
        { "POST /hub?id=0123456789abcdef0123", false },
        { Open, true },
        { "GET /chat/?transport=polling&EIO=3&t=1", true },
        { "GET /socket.io/?EIO=4&transport=polling&sid=0123456789abcdef0123", false },
        { "POST /socket.io/?EIO=4&transport=polling&sid=0123456789abcdef0123", false },
        { "GET /socket.io/?EIO=4&transport=websocket", false },
        { "GET /list?transport=polling", false },
        { "GET /", false },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Whatever_its_length_and_framing_a_body_passes_unchanged(string request, int length, bool isChunked)
    {
        var body = Body(length);
        var backends = await StartStatefulAsync(1, async context =>
        {
            context.Response.ContentType = "text/plain; charset=latin1";
            context.Response.Headers["X-Other"] = "passes";
            if (!isChunked) context.Response.ContentLength = length;
            for (var sent = 0; sent < length; sent += 7000)
            {
                await context.Response.Body.WriteAsync(body.AsMemory(sent, Math.Min(7000, length - sent)));
                await context.Response.Body.FlushAsync();
            }

            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));

        var (head, passed) = await FetchAsync(balancer, request);

        Assert.Equal(200, HttpHead.Status(head));
        Assert.Equal("text/plain; charset=latin1", HttpHead.Value(head, "Content-Type"));
        Assert.Equal("passes", HttpHead.Value(head, "X-Other"));
        Assert.Equal(isChunked && length > 0 ? null : length.ToString(CultureInfo.InvariantCulture), HttpHead.Value(head, "Content-Length"));
        Assert.Equal(length, passed.Length);
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(passed));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Exactly_those_requests_whose_answer_is_looked_into_ask_for_no_compression(string request, bool isLookedInto)
    {
        var body = Body(50_000);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(body);
        var backends = await StartStatefulAsync(1, async context =>
        {
            var isPacked = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal);
            if (isPacked) context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(isPacked ? packed.ToArray() : body);
            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));

        var (head, passed) = await FetchAsync(balancer, request, "Accept-Encoding: gzip, br\r\n");

        Assert.Equal(isLookedInto ? null : "gzip, br", backends[0].Last.GetValueOrDefault("Accept-Encoding"));
        Assert.Equal(isLookedInto ? null : "gzip", HttpHead.Value(head, "Content-Encoding"));
        Assert.Equal(SHA256.HashData(isLookedInto ? body : packed.ToArray()), SHA256.HashData(passed));
    }

    [Theory]
    [InlineData(Negotiate)]
    [InlineData(Open)]
    public async Task Without_a_rule_that_looks_into_it_a_request_stays_as_it_is(string request)
    {
        var backends = await StartStatefulAsync(1);
        var balancer = Start(Lane.Raw, PoolOf(backends).With(Rules + "0:Cookie", ""));

        await FetchAsync(balancer, request, "Accept-Encoding: gzip, br\r\n");

        Assert.Equal("gzip, br", backends[0].Last["Accept-Encoding"]);
    }

    [Theory]
    [InlineData(Negotiate)]
    [InlineData(Open)]
    public async Task One_that_is_compressed_all_the_same_passes_unchanged(string request)
    {
        var body = Body(40_000);
        var backends = await StartStatefulAsync(1, async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(body);
            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));

        var (head, passed) = await FetchAsync(balancer, request);

        Assert.Equal("gzip", HttpHead.Value(head, "Content-Encoding"));
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(passed));
    }

    [Fact]
    public async Task A_token_that_comes_in_pieces_is_learnt()
    {
        var backends = await StartStatefulAsync(3, async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("negotiate", StringComparison.Ordinal)) return;
            foreach (var piece in new[] { "{\"negotiateVersion\":1,\"connec", "tionToken\":\"0123456789abcdef",
                $"{context.Connection.LocalPort:d6}\",", "\"availableTransports\":[]}" })
            {
                await context.Response.WriteAsync(piece);
                await context.Response.Body.FlushAsync();
            }

            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));

        for (var i = 0; i < 3; i++)
        {
            await FetchAsync(balancer, Negotiate);
            var asked = backends.Single(backend => backend.Requests.Count == 1);
            var token = $"0123456789abcdef{new Uri(asked.Address).Port:d6}";
            for (var j = 0; j < 4; j++) Assert.Equal(asked.Name, await ReachAsync(balancer, Lane.Raw, target: "/hub?id=" + token));
        }
    }

    [Theory]
    [InlineData(Negotiate, 300)]
    [InlineData(Negotiate, 40_000)]
    [InlineData(Open, 300)]
    [InlineData(Open, 40_000)]
    public async Task One_that_breaks_off_does_not_look_whole(string request, int length)
    {
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            await wire.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {length + 1}\r\n\r\n" + new string('x', length));
            await wire.FinishAsync();
        });
        var balancer = Start(Lane.Raw, Pool(backend.Address).With(Rules + "0:SignalR", "").With(Rules + "1:SocketIO", ""));
        string? head = null;
        try
        {
            (head, _) = await FetchAsync(balancer, request);
        }
        catch (IOException)
        {
            // The connection broke, within the head or behind it.
        }

        Assert.True(head is null || HttpHead.Status(head) == 502, head);
    }

    // Of an application that has a path of this name: nobody learns from it, and nobody waits for its end.
    [Theory]
    [InlineData(Negotiate, "data: {}\n\n")]
    [InlineData(Open, "data: 1\n\n")]
    [InlineData(Negotiate, "[")]
    [InlineData(Negotiate, "{\"a\":1}\n")]
    [InlineData(Open, "{\"a\":[1,2]}\n{\"b\":")]
    public async Task One_that_goes_on_for_ever_passes_as_it_comes(string request, string first)
    {
        var end = new TaskCompletionSource();
        var backends = await StartStatefulAsync(1, async context =>
        {
            await context.Response.WriteAsync(first);
            await context.Response.Body.FlushAsync();
            await end.Task;
            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));
        await using var client = await RawClient.ConnectAsync(balancer.Address);

        var head = await client.AskAsync($"{request} HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(200, HttpHead.Status(head));
        end.SetResult();
        Assert.Equal(first, await client.ReadBodyAsync(head));
    }

    // Whoever asks and leaves must not take a backend from all others.
    [Theory]
    [InlineData(Negotiate)]
    [InlineData(Open)]
    public async Task A_client_that_leaves_meanwhile_is_nobodys_failure(string request)
    {
        var end = new TaskCompletionSource();
        var backends = await StartStatefulAsync(1, async context =>
        {
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            var left = new TaskCompletionSource();
            await using var leaving = context.RequestAborted.Register(left.SetResult);
            await Task.WhenAny(end.Task, left.Task);
            await context.Response.CompleteAsync();
        });
        var balancer = Start(Lane.Raw, Settings(backends));
        for (var i = 0; i < 6; i++)
        {
            var client = await RawClient.ConnectAsync(balancer.Address);
            await client.WriteAsync($"{request} HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n\r\n");
            await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Backends.Single().ActiveRequests == 1);
            await client.DisposeAsync();
            await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Backends.Single().ActiveRequests == 0);
        }

        end.SetResult();
        Assert.NotEqual(BackendState.Unhealthy, balancer.Registry.Current.Pools.Single().Backends.Single().State);
        Assert.Equal(0, balancer.Registry.Current.Pools.Single().Backends.Single().AwaySince);
    }

    private static LiveSettings Settings(StatefulBackend[] backends) => PoolOf(backends).With(Rules + "0:SignalR", "").With(Rules + "1:SocketIO", "");

    // As an answer of theirs might begin, so that there is something to learn.
    private static byte[] Body(int length)
    {
        var start = Encoding.ASCII.GetBytes("""{"connectionToken":"0123456789abcdef0123","sid":"0123456789abcdef0123","rest":" """);
        var body = new byte[length];
        RandomNumberGenerator.Fill(body);
        start.AsSpan(0, Math.Min(start.Length, length)).CopyTo(body);
        return body;
    }

    private static async Task<(string Head, byte[] Body)> FetchAsync(Balancer balancer, string request, string headers = "")
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        var head = await client.AskAsync($"{request} HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n{headers}\r\n");
        return (head, Encoding.Latin1.GetBytes(await client.ReadBodyAsync(head)));
    }
}
