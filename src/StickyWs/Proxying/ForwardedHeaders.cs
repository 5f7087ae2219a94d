using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

/// <summary>
/// Tells the backend who the client is. What the client itself says of that is replaced or dropped, unless the peer is one of
/// <see cref="StickyWsOptions.TrustedProxies"/>: then its word is kept, and the peer is appended to <c>X-Forwarded-For</c>.
/// </summary>
internal sealed class ForwardedHeaders(BackendRegistry registry)
{
    private const string For = "X-Forwarded-For";
    private const string Proto = "X-Forwarded-Proto";
    private const string Host = "X-Forwarded-Host";

    /// <summary>Rewrites headers that were copied from the client's request.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="headers">The copy.</param>
    /// <param name="isForwarded">Whether any of them tells of the client.</param>
    public void Apply(HttpContext context, HttpRequestHeaders headers, bool isForwarded)
    {
        var sent = context.Request.Headers;
        var peer = context.Connection.RemoteIpAddress;
        var isTrusted = registry.Current.TrustedProxies.Contains(peer);
        if (isForwarded)
        {
            Drop(context, sent, isTrusted, headers);
            if (isTrusted) Pass(sent, peer, headers);
        }

        Complete(headers, isForwarded, For, peer is null ? "" : PeerAddress.Text(peer));
        Complete(headers, isForwarded, Proto, context.Request.Scheme);
        Complete(headers, isForwarded, Host, sent.Host.ToString());
    }

    private static void Drop(HttpContext context, IHeaderDictionary sent, bool isTrusted, HttpRequestHeaders headers)
    {
        foreach (var (name, values) in sent)
        {
            if (!ForwardedNames.IsOne(name) || !headers.NonValidated.Contains(name)) continue;
            var own = isTrusted ? StringValues.Empty : ForwardedArrival.OfApplication(context, name, values);
            if (own.Count == values.Count && own.Equals(values)) continue;
            headers.Remove(name);
            if (own.Count > 0) headers.TryAddWithoutValidation(name, (IEnumerable<string?>)own);
        }
    }

    private static void Pass(IHeaderDictionary sent, IPAddress? peer, HttpRequestHeaders headers)
    {
        foreach (var (name, values) in sent)
        {
            if (ForwardedNames.IsOne(name) && !ForwardedNames.IsFake(name)) headers.TryAddWithoutValidation(name, Appended(name, values, peer));
        }
    }

    private static string Appended(string name, StringValues values, IPAddress? peer)
    {
        var sent = string.Join(", ", values.AsEnumerable());
        return peer is not null && name.Equals(For, StringComparison.OrdinalIgnoreCase) ? $"{sent}, {PeerAddress.Text(peer)}" : sent;
    }

    private static void Complete(HttpRequestHeaders headers, bool isForwarded, string name, string value)
    {
        if (value.Length > 0 && !(isForwarded && headers.NonValidated.Contains(name))) headers.TryAddWithoutValidation(name, value);
    }
}
