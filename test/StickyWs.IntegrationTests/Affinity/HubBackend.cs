using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>Backends with a SignalR hub that says on which of them it is, and clients of it that bring no cookies.</summary>
internal static class HubBackend
{
    public static Task<EchoBackend> StartAsync(string name) => EchoBackend.StartAsync(name, configure: app => app.MapHub<NamingHub>("/hub"), services: services =>
    {
        services.AddSignalR();
        services.AddSingleton(new HubName(name));
    });

    /// <summary>A client that talks with the balancer, or with each of several in turn, request by request.</summary>
    public static HubConnection Connect(HttpTransportType transport, Func<Uri> balancer, bool hasCookies = false) => new HubConnectionBuilder().WithUrl(new Uri(balancer(), "hub"), options =>
    {
        options.Transports = transport;
        options.HttpMessageHandlerFactory = _ => new TurningHandler(balancer) { InnerHandler = new SocketsHttpHandler { UseCookies = hasCookies } };
        options.WebSocketFactory = async (context, cancellation) =>
        {
            var socket = new System.Net.WebSockets.ClientWebSocket();
            socket.Options.CollectHttpResponseDetails = true;
            await socket.ConnectAsync(At(balancer(), context.Uri), cancellation);
            return socket;
        };
    }).Build();

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
