using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

/// <summary>
/// Tells the backend who the client is. The client's own claims are replaced or dropped, unless the peer is one of <see
/// cref="StickyWsOptions.TrustedProxies"/>: then they are kept, and the peer is appended to <c>X-Forwarded-For</c>.
/// </summary>
internal sealed class ForwardedHeaders(BackendRegistry registry)
{
    /// <summary>Rewrites headers that were copied from the client's request.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="headers">The copy.</param>
    /// <param name="isForwarded">Whether any of them describes the client.</param>
    public void Apply(HttpContext context, HttpRequestHeaders headers, bool isForwarded)
    {
        var peer = context.Connection.RemoteIpAddress;
        var word = isForwarded ? Replace(context, registry.Current.TrustedProxies.Contains(peer), headers) : default;
        word.AddTo(
            headers,
            peer is null ? null : PeerAddress.Text(peer),
            context.Request.Scheme,
            context.Request.Headers.Host.ToString(),
            static (headers, name, value) => headers.TryAddWithoutValidation(name, value));
    }

    private static ForwardedWord Replace(HttpContext context, bool isTrusted, HttpRequestHeaders headers)
    {
        var word = default(ForwardedWord);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (!ForwardedNames.IsOne(name.AsSpan()) || !headers.NonValidated.Contains(name)) continue;
            var passed = ForwardedArrival.Passed(context, name, values, isTrusted);
            var isWrittenAnew = ForwardedNames.IsWrittenAnew(name.AsSpan());
            if (!isWrittenAnew && passed.Count == values.Count && passed.Equals(values)) continue;
            headers.Remove(name);
            if (isWrittenAnew) foreach (var value in passed) word.Note(name.AsSpan(), value ?? "");
            else if (passed.Count > 0) headers.TryAddWithoutValidation(name, (IEnumerable<string?>)passed);
        }

        return word;
    }
}
