using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.IntegrationTests.Access;
using StickyWs.IntegrationTests.Reload;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>The life of the connections to the app that stand for direct clients: beside the client's own, their listener's, and the server's.</summary>
public sealed class AppLaneTests : ReloadTest
{
    private const string AskPool = "GET /chat HTTP/1.1\r\nHost: example.test\r\n\r\n";
    private const string AskApp = "GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n";

    private readonly AppOf _app = new();

    public static TheoryData<Lane> Lanes { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawTls);

    [Theory]
    [MemberData(nameof(Lanes))]
    public async Task A_handshake_behind_a_request_to_the_app_becomes_a_tunnel_of_the_raw_lane(Lane lane)
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Start(lane, backend.Address);
        await LeadAsync(balancer.Address);
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        await AskAsync(client, AskPool);
        await AskAsync(client, AskApp);
        await AskAsync(client, AskPool);
        await AskAsync(client, AskApp);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat"))));

        await client.DisposeAsync();
        Assert.Equal("raw", (await AccessLines.OnlyAsync(balancer)).Fields["Lane"]);
        Assert.Equal(2, _app.Count);
        await Wait.UntilAsync(() => _app.Open == 0);
    }

    // Half of Kestrel's own time, so that it never ends one in the moment of use.
    [Fact]
    public async Task An_idle_one_ends_before_Kestrel_would_end_it_and_the_next_request_has_another()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Start(Lane.Raw, backend.Address, kestrel => kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(4));
        await LeadAsync(balancer.Address);
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        await AskAsync(client, AskApp);

        await Wait.UntilAsync(async () =>
        {
            await AskAsync(client, AskPool); // The client is not idle.
            return _app.Open == 0;
        });

        await AskAsync(client, AskApp);
        await AskAsync(client, AskPool);
        Assert.Equal((2, 2), (_app.Count, _app.Connections));
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_own()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Start(Lane.Raw, backend.Address);
        await LeadAsync(balancer.Address);
        await using (var client = await RawClient.ConnectAsync(balancer.Address))
        {
            await AskAsync(client, AskApp);
            await AskAsync(client, AskPool);
            Assert.Equal(1, _app.Open);
        }

        await Wait.UntilAsync(() => _app.Open == 0);
    }

    // It may still abort the connection, and with it whatever follows.
    [Fact]
    public async Task An_app_that_goes_on_after_its_answer_has_the_next_request_wait()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Start(Lane.Raw, backend.Address);
        await LeadAsync(balancer.Address);
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        await AskAsync(client, "GET /app/late HTTP/1.1\r\nHost: example.test\r\n\r\n");

        var asking = AskAsync(client, AskPool);
        for (var other = 0; other < 20; other++) await LeadAsync(balancer.Address);
        Assert.False(asking.IsCompleted);
        _app.MayAnswer.SetResult();

        await asking.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task A_stop_ends_idle_ones_and_waits_for_a_request_under_way()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Start(Lane.Raw, backend.Address);
        await LeadAsync(balancer.Address);
        await using var idle = await RawClient.ConnectAsync(balancer.Address);
        await AskAsync(idle, AskApp);
        await using var busy = await RawClient.ConnectAsync(balancer.Address);
        await busy.WriteAsync("GET /app/slow HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await _app.HasCome.Task.WaitAsync(Wait.Bound);

        var stopping = balancer.StopAsync();
        Assert.Equal("", await idle.ReadTextToEndAsync());
        Assert.False(stopping.IsCompleted);
        _app.MayAnswer.SetResult();

        // Whether it says "Connection: close" depends on how far Kestrel has come with its stop.
        Assert.StartsWith("HTTP/1.1 200", await busy.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("slow", await busy.ReadTextToEndAsync());
        await stopping;
    }

    [Fact]
    public async Task An_answer_under_way_is_whole_however_often_its_endpoint_is_edited_and_later_requests_are_served()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var settings = Direct(backend.Address);
        settings.Change(data => data["Kestrel:Endpoints:Main:Url"] = address.GetLeftPart(UriPartial.Authority));
        var balancer = StartConfigured(settings, configure: Configure);
        await LeadAsync(address);
        await using var idle = await RawClient.ConnectAsync(address);
        await AskAsync(idle, AskApp);
        await using var direct = await RawClient.ConnectAsync(address);
        await AskAsync(direct, AskPool);
        await using var busy = await RawClient.ConnectAsync(address);
        await busy.WriteAsync("GET /app/slow HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await _app.HasCome.Task.WaitAsync(Wait.Bound);

        for (var i = 1; i <= 2; i++)
        {
            balancer.Settings.Change(data => data["Kestrel:Endpoints:Main:Protocols"] = i % 2 == 0 ? "Http1AndHttp2" : "Http1");
            await Wait.UntilAsync(() => balancer.Log.Lines.Count(line => line.Event == "ListenerHandedOver") == i);
        }

        _app.MayAnswer.SetResult();
        var head = await busy.ReadHeadAsync();
        Assert.Equal(200, HttpHead.Status(head));
        Assert.Equal("slow", await busy.ReadTextAsync(4));
        await AskAsync(idle, AskPool);
        await AskAsync(idle, AskApp);
        await AskAsync(direct, AskApp);
        await balancer.StopAsync();
    }

    // It reads ahead of Kestrel: that somebody waits for more proves nothing then.
    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.RawEpoll)]
    public async Task An_answer_is_not_over_because_a_middleware_in_between_has_read_ahead(Lane lane)
    {
        var backend = (await StartEchoesAsync(1))[0];
        var settings = Direct(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat").Serving(lane);
        var balancer = Owned(Balancer.Start(
            settings, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => new Pump(next).ServeAsync)), Configure));
        await LeadAsync(balancer.Address);
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        await client.WriteAsync("GET /app/slow HTTP/1.1\r\nHost: example.test\r\n\r\n" + AskPool);
        await _app.HasCome.Task.WaitAsync(Wait.Bound);
        await using (var other = await RawClient.ConnectAsync(balancer.Address)) await AskAsync(other, AskPool);
        Assert.Equal(0, client.Socket.Available);
        _app.MayAnswer.SetResult();

        var head = await client.ReadHeadAsync();
        Assert.Equal("slow", await client.ReadBodyAsync(head));
        head = await client.ReadHeadAsync();
        Assert.Equal(200, HttpHead.Status(head));
        await client.ReadBodyAsync(head);
    }

    private Balancer Start(Lane lane, string backend, Action<KestrelServerOptions>? kestrel = null)
        => Owned(Balancer.Start(lane, Direct(backend).With("Pools:chat:Match:PathPrefixes:0", "/chat"), builder =>
        {
            Configure(builder);
            if (kestrel is not null) builder.ConfigureServices(services => services.Configure(kestrel));
        }));

    private void Configure(IWebHostBuilder builder) => builder.ConfigureServices(services =>
    {
        services.AddSingleton<IStartupFilter>(_app);
        services.Configure<HostOptions>(static options => options.ShutdownTimeout = Wait.Bound);
    });

    private static LiveSettings Direct(string address) => Pool(address).With("Pools:chat:Http", "Direct");

    // Leads the listener's clients to the lane before Kestrel knows of them.
    private static async Task LeadAsync(Uri address)
    {
        await using var client = await RawClient.ConnectAsync(address);
        await AskAsync(client, AskPool);
    }

    private static async Task AskAsync(RawClient client, string request)
    {
        var head = await client.AskAsync(request);
        Assert.Equal(200, HttpHead.Status(head));
        await client.ReadBodyAsync(head);
    }

    /// <summary>What is below /app, and the connections on which it was asked.</summary>
    private sealed class AppOf : IStartupFilter
    {
        private readonly HashSet<object> _connections = [];
        private int _count;
        private int _open;

        public int Count => Volatile.Read(ref _count);

        public int Open => Volatile.Read(ref _open);

        public int Connections
        {
            get
            {
                lock (_connections) return _connections.Count;
            }
        }

        public TaskCompletionSource HasCome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayAnswer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(following => context =>
                context.Request.Path.StartsWithSegments("/app", StringComparison.Ordinal) ? AnswerAsync(context) : following(context));
            next(app);
        };

        private async Task AnswerAsync(HttpContext context)
        {
            Interlocked.Increment(ref _count);
            var completion = context.Features.Get<IConnectionCompleteFeature>()!;
            var transport = context.Features.Get<IConnectionTransportFeature>()!;
            bool isNew;
            lock (_connections) isNew = _connections.Add(transport);
            if (isNew)
            {
                Interlocked.Increment(ref _open);
                completion.OnCompleted(_ =>
                {
                    Interlocked.Decrement(ref _open);
                    return Task.CompletedTask;
                }, context);
            }

            switch (context.Request.Path.Value)
            {
                case "/app/slow":
                    context.Response.ContentLength = 4;
                    HasCome.SetResult();
                    await MayAnswer.Task;
                    await context.Response.WriteAsync("slow");
                    break;
                case "/app/late":
                    context.Response.ContentLength = 4;
                    await context.Response.WriteAsync("late");
                    await MayAnswer.Task;
                    break;
                default:
                    await context.Response.WriteAsync("app");
                    break;
            }
        }
    }

    /// <summary>A connection middleware that passes on what comes as soon as it comes.</summary>
    private sealed class Pump(ConnectionDelegate next)
    {
        public async Task ServeAsync(ConnectionContext connection)
        {
            var transport = connection.Transport;
            var pipe = new Pipe();
            connection.Transport = new Ends(pipe.Reader, transport.Output);
            var pumping = transport.Input.CopyToAsync(pipe.Writer);
            _ = pumping.ContinueWith(_ => pipe.Writer.Complete(), TaskScheduler.Default);
            try
            {
                await next(connection);
            }
            finally
            {
                await pipe.Reader.CompleteAsync();
                connection.Transport = transport;
            }
        }

        private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }
}
