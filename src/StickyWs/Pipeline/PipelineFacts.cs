using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using StickyWs.Access;
using StickyWs.Transport;

namespace StickyWs.Pipeline;

/// <summary>What lines tell of a request in the pipeline.</summary>
internal static class PipelineFacts
{
    /// <summary>The tuple of its connection; <see langword="null"/> where that has none.</summary>
    public static ConnectionTuple? TupleOf(HttpContext context)
    {
        // The connection's own: middleware (UseForwardedHeaders) may have replaced the request's.
        var ends = context.Features.Get<IConnectionEndPointFeature>();
        var own = context.Features.Get<IConnectionItemsFeature>() as BaseConnectionContext;
        return (ends?.RemoteEndPoint ?? own?.RemoteEndPoint) is { } peer
            ? EndPoints.ToTuple(peer, ends?.LocalEndPoint ?? own?.LocalEndPoint)
            : OfRequest(context);
    }

    /// <summary>Its client.</summary>
    /// <param name="context">The request.</param>
    /// <param name="lane">As what it is served.</param>
    public static ClientFacts ClientOf(HttpContext context, string lane) => new(
        context.Connection.Id ?? context.TraceIdentifier, TupleOf(context), lane, context.Request.Scheme, TlsVersions.Of(context.Features), IsInPipeline: true,
        VersionOf(context.Request.Protocol));

    /// <summary>The request, without its query.</summary>
    public static RequestFacts RequestOf(HttpContext context, string target)
    {
        var query = target.AsSpan().IndexOfAny('?', '#');
        return new RequestFacts(context.Request.Method, context.Request.Host.Value, query < 0 ? target : target[..query]);
    }

    private static string VersionOf(string protocol) => HttpProtocol.IsHttp2(protocol) ? "2" : HttpProtocol.IsHttp3(protocol) ? "3" : "1.1";

    private static ConnectionTuple? OfRequest(HttpContext context)
        => context.Connection is { RemoteIpAddress: { } source, LocalIpAddress: { } destination } connection
        ? EndPoints.ToTuple(new IPEndPoint(source, connection.RemotePort), new IPEndPoint(destination, connection.LocalPort))
        : null;
}
