using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>An application with the balancer and its dashboard, on real Kestrel unless a test says otherwise.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DashboardHost(WebApplication app, LogRecorder log)
    {
        (_app, Log) = (app, log);
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address
            ? new Uri(address) : new Uri("http://localhost");
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public LogRecorder Log { get; }

    public IServiceProvider Services => _app.Services;

    public IEnumerable<LogLine> Audit => Log.Lines.Where(line => line.Category == "StickyWs.Audit");

    /// <param name="settings">The balancer's settings.</param>
    /// <param name="add">Adds services.</param>
    /// <param name="protect">What the application does with the endpoints.</param>
    /// <param name="configure">The dashboard's options.</param>
    /// <param name="use">Middleware and endpoints of the application's own, before the dashboard.</param>
    /// <param name="web">Changes the server.</param>
    /// <param name="group">Where the dashboard is mapped; called after the balancer was added.</param>
    public static async Task<DashboardHost> StartAsync(
        LiveSettings settings,
        Action<IServiceCollection>? add = null,
        Action<IEndpointConventionBuilder>? protect = null,
        Action<StickyWsDashboardOptions>? configure = null,
        Action<WebApplication>? use = null,
        Action<IWebHostBuilder>? web = null,
        Func<WebApplication, IEndpointRouteBuilder>? group = null)
    {
        var log = new LogRecorder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        ((IConfigurationBuilder)builder.Configuration).Add(settings);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.AddStickyWebSocketBalancing();
        builder.Services.AddAuthentication("Test").AddScheme<AuthenticationSchemeOptions, ByHeader>("Test", null);
        builder.Services.AddAuthorization(options => options.AddPolicy("ops", policy => policy.RequireUserName("olga")));
        add?.Invoke(builder.Services);
        web?.Invoke(builder.WebHost);
        var app = builder.Build();
        app.Use((context, next) =>
        {
            if (context.Request.Headers["Test-Remote"] is [{ } remote]) context.Connection.RemoteIpAddress = IPAddress.Parse(remote);
            return next(context);
        });
        use?.Invoke(app);
        app.UseStickyWebSocketBalancing();
        protect ??= _ => { };
        protect((group?.Invoke(app) ?? app).MapStickyWsDashboard(configure: options =>
        {
            options.AnonymousSteering = true; // Few tests are about who may.
            configure?.Invoke(options);
        }));
        await app.StartAsync(Wait.Token());
        return new DashboardHost(app, log);
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = Request(HttpMethod.Get, path, headers);
        return await SendAsync(request);
    }

    /// <summary>Posts with the header that a post needs.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = Request(HttpMethod.Post, path, [("X-StickyWs", "1"), .. headers]);
        return await SendAsync(request);
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(HttpRequestMessage request)
    {
        using var answer = await Client.SendAsync(request, Wait.Token());
        var text = await answer.Content.ReadAsStringAsync(Wait.Token());
        if ((int)answer.StatusCode >= 400 && text.Length > 0)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.ToString());
            Assert.Equal((int)answer.StatusCode, (int)JsonNode.Parse(text)!["status"]!);
        }

        return (answer.StatusCode, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!);
    }

    public HttpRequestMessage Request(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var exact = new Uri(Address.GetLeftPart(UriPartial.Authority) + "/stickyws/" + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, exact);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    /// <summary>A client with an open tunnel.</summary>
    public async Task<RawClient> OpenTunnelAsync()
    {
        var client = await RawClient.ConnectAsync(Address);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        return client;
    }

    /// <summary>A stream of events, after its head.</summary>
    public async Task<StreamReader> ReadEventsAsync(string query = "", params (string Name, string Value)[] headers)
    {
        using var request = Request(HttpMethod.Get, "events" + query, headers);
        var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        return new StreamReader(await answer.Content.ReadAsStreamAsync(Wait.Token()));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    // Whoever says so is it.
    private sealed class ByHeader(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"] is not [{ } name]) return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "Test");
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), "Test")));
        }
    }
}
