using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>Listeners of every kind, on the raw transport or beside it.</summary>
public sealed class ListeningTests : TransportTest
{
    [Theory]
    [InlineData(Lane.Raw, true)]
    [InlineData(Lane.RawEpoll, true)]
    [InlineData(Lane.Portable, true)]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Portable, false)]
    public async Task Connections_may_be_logged_before_or_behind_the_sniffer(Lane lane, bool before)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, kestrel =>
        {
            if (before) kestrel.ConfigureEndpointDefaults(_ => { }); // Instead of the sniffer's own.
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.UseConnectionLogging();
                if (before) listen.UseStickyWebSocketBalancing();
            });
        }, context => context.Response.WriteAsync("hello"), backend.Address);
        var plain = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        Assert.Equal("hello", await plain.ReadBodyAsync(await plain.AskAsync(Ask)));
        var (client, server) = await OpenTunnelAsync(balancer, Lane.Raw, backend);
        await client.WriteAsync("to the backend");
        Assert.Equal("to the backend", await server.ReadTextAsync(14));
        await server.WriteAsync("to the client");
        Assert.Equal("to the client", await client.ReadTextAsync(13));
    }

    [Theory]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Portable, false)]
    [InlineData(Lane.Raw, true)]
    [InlineData(Lane.RawEpoll, true)]
    [InlineData(Lane.Portable, true)]
    public async Task Http2_is_served_with_and_without_tls(Lane lane, bool isTls)
    {
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (isTls) listen.UseHttps(TestCertificate.Server);
        }), context => context.Response.WriteAsync(context.Request.Protocol));
        using var handler = new SocketsHttpHandler
        {
            SslOptions =
            new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true }
        };
        using var client = new HttpClient(handler)
        {
            BaseAddress = balancer.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact
        };

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetStringAsync("/mine", Wait.Token())));

        Assert.All(answers, answer => Assert.Equal("HTTP/2", answer));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Https_is_served(Lane lane)
    {
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Server)),
            context => context.Response.WriteAsync(context.Request.Scheme));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        Assert.Equal("https", await client.ReadBodyAsync(await client.AskAsync(Ask)));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_large_request_body_arrives_whole(Lane lane)
    {
        const int size = 8_000_000;
        var balancer = Start(lane, kestrel => kestrel.Listen(IPAddress.Loopback, 0), async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
        });
        using var client = new HttpClient { BaseAddress = balancer.Address };
        var sent = new byte[size];
        new Random(1).NextBytes(sent);

        using var answer = await client.PostAsync("/mine", new ByteArrayContent(sent), Wait.Token());

        Assert.Equal(sent, await answer.Content.ReadAsByteArrayAsync(Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_unix_domain_socket_is_served_by_Kestrels_own_transport(Lane lane)
    {
        var directory = Directory.CreateTempSubdirectory("stickyws");
        var path = Path.Combine(directory.FullName, "socket");
        await using var backend = RawBackend.Opening();
        try
        {
            Start(lane, kestrel => kestrel.ListenUnixSocket(path), context => context.Response.WriteAsync("hello"), backend.Address);
            await using var plain = await ConnectToPathAsync(path);
            Assert.Equal("hello", await plain.ReadBodyAsync(await plain.AskAsync(Ask)));

            await using var client = await ConnectToPathAsync(path);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
            await client.WriteAsync("tunnelled");
            Assert.Equal("tunnelled", await (await backend.NextTunnelAsync()).ReadTextAsync(9));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public void An_address_in_use_is_told_as_Kestrel_tells_it(Lane lane)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var endPoint = (IPEndPoint)taken.LocalEndPoint!;

        var failure = Assert.Throws<IOException>(() => Balancer.Start(Pool("http://127.0.0.1:1").Serving(lane), kestrel => kestrel.Listen(endPoint)));

        Assert.Equal($"Failed to bind to address http://{endPoint}: address already in use.", failure.Message);
        Assert.IsType<AddressInUseException>(failure.InnerException);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_second_host_may_listen_where_a_stopped_one_did(Lane lane)
    {
        var port = 0;
        for (var i = 0; i < 3; i++)
        {
            await using var balancer = Balancer.Start(Pool("http://127.0.0.1:1").Serving(lane), kestrel => kestrel.Listen(IPAddress.Loopback, port));
            port = balancer.Address.Port;
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            Assert.Equal(TestBalancer.AppAnswer, await client.ReadBodyAsync(await client.AskAsync("GET /app HTTP/1.1\r\nHost: a\r\n\r\n")));
            await balancer.StopAsync();
            await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(new Uri($"http://127.0.0.1:{port}")));
        }
    }

    [Fact]
    public async Task A_transport_of_the_applications_own_is_not_overtaken()
    {
        await using var backend = RawBackend.Opening();
        var own = new CountingFactory();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ((IConfigurationBuilder)builder.Configuration).Add(Pool(backend.Address));
        builder.Services.AddSingleton<IConnectionListenerFactory>(own);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddStickyWebSocketBalancing();
        await using var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        await app.StartAsync(Wait.Token());

        await using var client = await RawClient.ConnectAsync(new Uri(app.Urls.Single()));
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        Assert.Equal(1, own.Binds);
        client.Reset();
        await app.StopAsync(Wait.Token());
    }

    private static async Task<RawClient> ConnectToPathAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Wait.Token());
        return new RawClient(socket, new NetworkStream(socket, ownsSocket: true));
    }

    private sealed class CountingFactory : IConnectionListenerFactory
    {
        private readonly SocketTransportFactory _inner = new(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);

        public int Binds { get; private set; }

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            Binds++;
            return _inner.BindAsync(endpoint, cancellationToken);
        }
    }
}
