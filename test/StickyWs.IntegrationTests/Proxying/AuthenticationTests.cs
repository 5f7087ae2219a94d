using System.Collections.Concurrent;
using System.Net;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Authentication that belongs to a connection (NTLM, Negotiate): who comes next on it is taken for the same.</summary>
public abstract class AuthenticationTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const int Http11Required = 0xd;

    public static TheoryData<string> Schemes() => ["NTLM", "Negotiate", "ntlm", "negotiate"];

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task Nobody_is_taken_for_whoever_authenticated_a_connection(string scheme)
    {
        await using var a = new Domain();
        await using var proxy = await StartAsync(a.Address);
        using var alice = await Wire.ConnectAsync(proxy.Http1);
        using var bob = await Wire.ConnectAsync(proxy.Http1);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("nobody", await AskAsync(bob));
            Assert.Equal("alice", await AskAsync(alice, i == 0 ? $"Authorization: {scheme} alice\r\n" : ""));
            Assert.Equal("nobody", await AskAsync(bob));
        }
    }

    [Fact]
    public async Task A_handshake_of_several_requests_goes_over_one_connection_to_one_backend()
    {
        await using var a = new Domain();
        await using var b = new Domain();
        await using var proxy = await StartAsync(a.Address, b.Address);
        using var alice = await Wire.ConnectAsync(proxy.Http1);
        using var others = ProxyHost.Client(proxy.Http1);
        Assert.Equal("go on", await AskAsync(alice, "Authorization: NTLM begin\r\n"));
        Assert.Equal("nobody", (await others.GetStringAsync("/")).TrimEnd());
        Assert.Equal("alice", await AskAsync(alice, "Authorization: NTLM finish-alice\r\n"));
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("nobody", (await others.GetStringAsync("/")).TrimEnd());
            Assert.Equal("alice", await AskAsync(alice));
        }
    }

    [Fact]
    public async Task Rules_that_do_not_know_the_client_leave_it_on_its_connection()
    {
        await using var a = new Domain();
        await using var b = new Domain();
        await using var proxy = await StartAsync((_, pool) =>
        {
            pool.Affinity.Rules.Add(new() { SignalR = new() });
            pool.Affinity.Rules.Add(new() { Cookie = new() });
        }, _ => { }, a.Address, b.Address);
        using var alice = await Wire.ConnectAsync(proxy.Http1);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("go on", await AskAsync(alice, "Authorization: NTLM begin\r\n"));
            Assert.Equal("alice", await AskAsync(alice, "Authorization: NTLM finish-alice\r\n"));
            Assert.Equal("alice", await AskAsync(alice));
        }
    }

    [Fact]
    public async Task Other_schemes_share_connections()
    {
        await using var a = new Domain();
        await using var proxy = await StartAsync(a.Address);
        foreach (var credentials in new[] { "Basic bm90aGluZw==", "Bearer NTLM", "NTLMv3 x", "Negotiated x" })
        {
            using var client = await Wire.ConnectAsync(proxy.Http1);
            Assert.Equal("nobody", await AskAsync(client, $"Authorization: {credentials}\r\n"));
        }

        Assert.InRange(a.Connections, 1, IsDirect ? Environment.ProcessorCount : 1); // Direct connections are kept by reactor.
    }

    [Fact]
    public async Task The_connection_ends_with_the_clients()
    {
        await using var a = new Domain();
        await using var proxy = await StartAsync(a.Address);
        using (var alice = await Wire.ConnectAsync(proxy.Http1)) Assert.Equal("alice", await AskAsync(alice, "Authorization: NTLM alice\r\n"));
        await a.Ended.WaitAsync(Wait.Token());
    }

    [Fact]
    public async Task A_trusted_proxys_connection_is_many_clients_and_keeps_none()
    {
        await using var a = new Domain();
        await using var proxy = await StartAsync((options, _) => options.TrustedProxies.Add("127.0.0.1"), _ => { }, a.Address);
        using var upstream = await Wire.ConnectAsync(proxy.Http1);
        Assert.Equal("alice", await AskAsync(upstream, "Authorization: Negotiate alice\r\n"));
        Assert.Equal("nobody", await AskAsync(upstream));
        await a.Ended.WaitAsync(Wait.Token());
    }

    [Fact]
    public async Task Over_http2_the_client_is_told_to_use_http1()
    {
        await using var a = new Domain();
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http2, http2: true);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        request.Headers.TryAddWithoutValidation("Authorization", "NTLM alice");
        var refusal = await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request));
        Assert.Equal(Http11Required, Assert.IsType<HttpProtocolException>(refusal.InnerException).ErrorCode);
        Assert.Equal(0, a.Connections);
        Assert.Equal("nobody", (await client.GetStringAsync("/")).TrimEnd());
    }

    private static async Task<string> AskAsync(Wire client, string headers = "")
    {
        await client.WriteAsync($"GET / HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n");
        Assert.NotNull(await client.ReadHeadAsync());
        return (await client.ReadAsync(10)).TrimEnd();
    }

    public sealed class OnIoUring() : AuthenticationTests(Lane.Raw);

    public sealed class OnEpoll() : AuthenticationTests(Lane.RawEpoll);

    public sealed class Portable() : AuthenticationTests(Lane.Portable);

    public sealed class Direct() : AuthenticationTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : AuthenticationTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : AuthenticationTests(Lane.RawTls, isDirect: true);

    /// <summary>A backend that takes everybody on a connection for whom it last authenticated there, and says whom.</summary>
    private sealed class Domain : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<TestKit.Wire, string> _users = new();
        private readonly TestKit.RawBackend _backend;

        public Domain() => _backend = TestKit.RawBackend.Start(async (_, wire) =>
        {
            try
            {
                while (true) await AnswerAsync(wire);
            }
            finally
            {
                if (_users.GetValueOrDefault(wire) is not (null or "nobody")) Ended.Release();
            }
        });

        public Uri Address => _backend.Uri();

        public int Connections => _backend.Connections;

        /// <summary>Released for each authenticated connection that ended.</summary>
        public SemaphoreSlim Ended { get; } = new(0);

        public ValueTask DisposeAsync() => _backend.DisposeAsync();

        private async Task AnswerAsync(TestKit.Wire wire)
        {
            var words = HttpHead.Value(await wire.ReadHeadAsync(), "Authorization")?.Split(' ') ?? [];
            var user = _users.GetValueOrDefault(wire, "nobody");
            if (words is [var scheme, var token]
                && (scheme.Equals("NTLM", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase)))
            {
                user = token switch
                {
                    "begin" => "go on",
                    ['f', 'i', 'n', 'i', 's', 'h', '-', .. var name] => user == "go on" ? name : "nobody",
                    _ => token,
                };
                _users[wire] = user;
            }

            await wire.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{user,-10}");
        }
    }
}
