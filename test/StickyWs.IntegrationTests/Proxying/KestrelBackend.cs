using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A well-behaved backend on Kestrel.</summary>
internal sealed class KestrelBackend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private KestrelBackend(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    public static Task<KestrelBackend> StartAsync(RequestDelegate answer, HttpProtocols protocols = HttpProtocols.Http1, int port = 0)
        => StartAsync(_ => { }, app => app.Run(answer), protocols, null, port);

    /// <summary>Answers with a text, usually its own name.</summary>
    public static Task<KestrelBackend> StartAsync(string text) => StartAsync(context => context.Response.WriteAsync(text));

    public static async Task<KestrelBackend> StartAsync(Action<IServiceCollection> services, Action<WebApplication> map, HttpProtocols protocols,
        X509Certificate2? certificate, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = protocols;
                if (certificate is not null) listen.UseHttps(certificate);
            });
        });
        services(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new KestrelBackend(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
