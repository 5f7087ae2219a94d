using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>Backends with a SignalR hub that says on which of them it is, as <c>X-Backend</c> does, and clients of it.</summary>
internal static class HubBackend
{
    public static Task<EchoBackend> StartAsync(string name) => EchoBackend.StartAsync(name, configure: app => Map(app, name), services: services =>
    {
        services.AddSignalR();
        services.AddSingleton(new HubName(name));
    });

    /// <summary>A client that talks with the balancer, or with each of several in turn, request by request.</summary>
    /// <param name="transport">How it talks.</param>
    /// <param name="balancer">Asked once for the client's own use, and then before every request.</param>
    /// <param name="cookies">Its cookies; default none, and it takes none.</param>
    public static HubConnection Connect(HttpTransportType transport, Func<Uri> balancer, CookieContainer? cookies = null)
        => new HubConnectionBuilder().WithUrl(new Uri(balancer(), "hub"), options =>
    {
        options.Transports = transport;
        options.HttpMessageHandlerFactory = _ => new TurningHandler(balancer) { InnerHandler = Handler(cookies) };
        options.WebSocketFactory = async (context, cancellation) =>
        {
            var socket = new ClientWebSocket();
            socket.Options.Cookies = cookies;
            await socket.ConnectAsync(At(balancer(), context.Uri), cancellation);
            return socket;
        };
    }).Build();

    private static void Map(WebApplication app, string name)
    {
        app.Use((context, next) =>
        {
            context.Response.Headers["X-Backend"] = name;
            return next(context);
        });
        app.MapHub<NamingHub>("/hub");
    }

    private static SocketsHttpHandler Handler(CookieContainer? cookies)
    {
        var handler = new SocketsHttpHandler { UseCookies = cookies is not null };
        if (cookies is not null) handler.CookieContainer = cookies;
        return handler;
    }

    private static Uri At(Uri balancer, Uri uri) => new UriBuilder(uri) { Host = balancer.Host, Port = balancer.Port }.Uri;

    private sealed record HubName(string Name);

    private sealed class NamingHub(HubName name) : Hub
    {
        public string Name() => name.Name;
    }

    private sealed class TurningHandler(Func<Uri> balancer) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = At(balancer(), request.RequestUri!);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
