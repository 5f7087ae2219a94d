using System.Collections.Frozen;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>Starts the spans of what comes from a client and goes to a backend, with what listeners decide by. Each becomes the current one.</summary>
internal static class HttpSpans
{
    private static readonly FrozenSet<string> Methods = FrozenSet.Create("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT");

    /// <summary>A method as the conventions want it: clients must not name spans.</summary>
    public static string MethodOf(string method) => Methods.Contains(method) ? method : "_OTHER";

    /// <summary>What a client asks.</summary>
    /// <param name="tracer">The source.</param>
    /// <param name="client">The client.</param>
    /// <param name="head">The request's head.</param>
    /// <param name="request">The request.</param>
    /// <param name="forwarded">The client behind trusted proxies, if it is not the peer.</param>
    /// <param name="pool">The pool that it goes to.</param>
    /// <returns><see langword="null"/> if no listener wants it.</returns>
    public static Activity? StartServer(
        Tracer tracer, in ClientFacts client, RequestHead head, in RequestFacts request, IPAddress? forwarded, string pool)
    {
        var host = new HostString(head.Host);
        List<KeyValuePair<string, object?>> tags =
        [
            new(SpanTags.Method, request.Method), new(SpanTags.Scheme, client.Scheme), new(SpanTags.Path, request.Path),
            new(SpanTags.ServerAddress, AccessText.Of(host.Host)), new(SpanTags.ProtocolVersion, client.ProtocolVersion),
            new(SpanTags.Pool, pool), new(SpanTags.Lane, client.Lane),
        ];
        if (host.Port is { } port) tags.Add(new(SpanTags.ServerPort, port));
        if (client.Tuple is { } tuple)
        {
            var peer = tuple.Source.ToEndPoint();
            tags.Add(new(SpanTags.ClientAddress, (forwarded ?? peer.Address).ToString()));
            tags.Add(new(SpanTags.PeerAddress, peer.Address.ToString()));
            tags.Add(new(SpanTags.PeerPort, peer.Port));
        }

        return tracer.Start(request.Method, ActivityKind.Server, TraceParent.Read(head), [.. tags]);
    }

    /// <summary>What a backend is asked.</summary>
    /// <param name="tracer">The source.</param>
    /// <param name="parent">The span of the server; <see langword="null"/> for none.</param>
    /// <param name="request">The request.</param>
    /// <param name="backend">The backend.</param>
    /// <param name="upstream">The connection to it, if that is known.</param>
    /// <param name="resends">How many were asked before.</param>
    /// <returns><see langword="null"/> if no listener wants it.</returns>
    public static Activity? StartClient(
        Tracer tracer, Activity? parent, in RequestFacts request, Backend backend, ConnectionTuple? upstream, int resends)
    {
        var address = backend.Address;
        List<KeyValuePair<string, object?>> tags =
        [
            new(SpanTags.Method, request.Method), new(SpanTags.Url, address.GetLeftPart(UriPartial.Authority) + request.Path),
            new(SpanTags.ServerAddress, address.Host), new(SpanTags.ServerPort, address.Port), new(SpanTags.ProtocolVersion, "1.1"),
            new(SpanTags.Pool, backend.Pool), new(SpanTags.Backend, backend.Name),
        ];
        if (upstream is { } connection)
        {
            var peer = connection.Destination.ToEndPoint();
            tags.Add(new(SpanTags.PeerAddress, peer.Address.ToString()));
            tags.Add(new(SpanTags.PeerPort, peer.Port));
        }

        if (resends > 0) tags.Add(new(SpanTags.Resends, resends));
        return tracer.Start(request.Method, ActivityKind.Client, parent?.Context ?? default, [.. tags]);
    }
}
