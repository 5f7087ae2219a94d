using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;

namespace StickyWs.Proxying;

/// <summary>
/// Gives a client's connection, once it authenticates itself, a connection to a backend of its own: not shared, kept to the backend where it began,
/// and closed with the client's. If a client's connection carries the requests of several users (as a trusted proxy's does), or cannot be watched,
/// every such request gets its own connection.
/// </summary>
internal sealed class BoundClients(BackendClientTable clients, BackendRegistry registry)
{
    // HTTP_1_1_REQUIRED asks for HTTP/1.1 (RFC 9113 section 7, RFC 9114 section 8.1), where a connection belongs to one client at a time.
    private const int Http11Required = 0xd;
    private const int VersionFallback = 0x110;

    private static readonly object Key = new();

    private volatile bool _hasAny;

    /// <summary>The bound connection of the request's connection; <see langword="null"/> while that is not authenticated.</summary>
    public BoundClient? Find(HttpContext context, PoolSnapshot pool)
        => _hasAny
            && context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var found) == true
            && ((Dictionary<string, BoundClient>)found!).TryGetValue(pool.Name, out var bound) ? bound : null;

    /// <summary>Refuses what HTTP/2 cannot carry, in a way that makes clients retry over HTTP/1.1.</summary>
    public static bool TryRefuse(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol)) return false;
        if (!ConnectionAuthentication.IsIn(context.Request.Headers) || context.Features.Get<IHttpResetFeature>() is not { } reset) return false;
        reset.Reset(HttpProtocol.IsHttp3(context.Request.Protocol) ? VersionFallback : Http11Required);
        return true;
    }

    /// <summary>The HTTP client to send a request with; the caller releases it.</summary>
    public BackendClient Use(ProxiedRequest request)
    {
        var (context, pool) = (request.Context, request.Pool);
        if (request.Bound is { } bound && bound.Client.TryUse()) return bound.Client;
        if (!ConnectionAuthentication.IsIn(context.Request.Headers)) return clients.Use(pool);
        var client = clients.Create(pool);
        request.Bound = new BoundClient(client);
        if (CanBind(context)) Bind(context, pool, request.Bound);
        return client;
    }

    private bool CanBind(HttpContext context)
        => HttpProtocol.IsHttp11(context.Request.Protocol)
            && context.Features.Get<IConnectionCompleteFeature>() is not null
            // The peer's own address; middleware may have replaced the request's.
            && context.Features.Get<IConnectionItemsFeature>() is BaseConnectionContext { RemoteEndPoint: IPEndPoint { Address: var peer } }
            && peer.Equals(context.Connection.RemoteIpAddress)
            && !registry.Current.TrustedProxies.Contains(peer);

    private void Bind(HttpContext context, PoolSnapshot pool, BoundClient bound)
    {
        _hasAny = true;
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        if (!items.TryGetValue(Key, out var found)) items[Key] = found = new Dictionary<string, BoundClient>(StringComparer.OrdinalIgnoreCase);
        var client = bound.Client;
        client.TryUse();
        ((Dictionary<string, BoundClient>)found!)[pool.Name] = bound;
        context.Features.Get<IConnectionCompleteFeature>()!.OnCompleted(
            static state =>
            {
                ((BackendClient)state).Release();
                return Task.CompletedTask;
            },
            client);
    }
}

/// <summary>The one connection to a backend that is bound to a client's connection since that was authenticated.</summary>
internal sealed class BoundClient(BackendClient client)
{
    public BackendClient Client => client;

    /// <summary>The backend that it leads to.</summary>
    public Backend? Backend { get; set; }
}
