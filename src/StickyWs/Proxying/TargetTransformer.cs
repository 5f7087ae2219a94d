using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Pipeline;
using Yarp.ReverseProxy.Forwarder;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace StickyWs.Proxying;

/// <summary>The request to the backend and the response to the client, on top of YARP's rules for protocol headers, trailers and <c>TE</c>.</summary>
internal sealed class TargetTransformer(ProxiedRequest request, ForwardedHeaders forwarded) : HttpTransformer
{
    private const string OverriddenLength = "X-Content-Length";

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
        ConnectionOptions.Drop(httpContext.Request.Headers.Connection, proxyRequest.Headers, proxyRequest.Content?.Headers);
        var isForwarded = DropOwn(proxyRequest.Headers);
        forwarded.Apply(httpContext, proxyRequest.Headers, isForwarded);
        Settle(httpContext, proxyRequest);
        if (request.Decision.AwaitsBody) proxyRequest.Headers.Remove(HeaderNames.AcceptEncoding);
        proxyRequest.RequestUri = ClientTarget.At(request.Backend!, request.Target);
        proxyRequest.Options.Set(ProxiedRequest.Key, request);
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is not null)
        {
            if (proxyResponse.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var named))
                ConnectionOptions.Drop(new StringValues([.. named]), proxyResponse.Headers, proxyResponse.Content.Headers);
            DropOwn(proxyResponse.Headers);
        }

        var hasContent = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken).ConfigureAwait(false);
        if (proxyResponse is not null && request.Decision.IsSticky)
            await SettleAsync(httpContext.Response, proxyResponse, cancellationToken).ConfigureAwait(false);
        return hasContent && !ContentRules.DropContent(httpContext.Response);
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        if (httpContext.Features.Get<IHttpResponseTrailersFeature>() is not null) DropOwn(proxyResponse.TrailingHeaders);
        return base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);
    }

    private static void Settle(HttpContext context, HttpRequestMessage message)
    {
        // A length that the coding overrides must not go on (RFC 9112 section 6.1); Kestrel keeps it by this name.
        if (context.Request.Headers.TransferEncoding.Count > 0) message.Headers.Remove(OverriddenLength);

        // The HTTP client treats an empty Host as missing, and would add a second one.
        if (StringValues.IsNullOrEmpty(context.Request.Headers.Host)) message.Headers.Remove(HeaderNames.Host);

        // The application decodes the body, so its length differs from the one the client announced.
        if (message.Content is { } content && context.Features.Get<Arrival>() is { HasCodedBody: true } && context.Request.Headers.ContentEncoding.Count == 0)
            content.Headers.Remove(HeaderNames.ContentLength);
    }

    private async ValueTask SettleAsync(HttpResponse response, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var marks = await request.Decision.SettleAsync(new HttpAnswerHead(answer)).ConfigureAwait(false);
        marks.AddTo(response.Headers, response.StatusCode, static (headers, name, value) =>
        {
            headers.Append(name, value);
            return headers;
        });
        if (request.Decision.AwaitsBody && answer.IsSuccessStatusCode)
            await BodyLearner.LearnAsync(request.Decision, answer, cancellationToken).ConfigureAwait(false);
    }

    // Returns whether any of the others describe the client.
    private static bool DropOwn(HttpHeaders headers)
    {
        List<string>? own = null;
        var isForwarded = false;
        foreach (var (name, _) in headers.NonValidated)
        {
            if (OwnHeaders.IsOne(name.AsSpan())) (own ??= []).Add(name);
            else isForwarded |= ForwardedNames.IsOne(name.AsSpan());
        }

        foreach (var name in own ?? []) headers.Remove(name);
        return isForwarded;
    }
}

/// <summary>The head of a response that the HTTP client has read.</summary>
internal sealed class HttpAnswerHead(HttpResponseMessage response) : IAnswerHead
{
    public bool TryRead(string name, int occurrence, Span<byte> value, out int length)
    {
        length = 0;
        if (!response.Headers.NonValidated.TryGetValues(name, out var values)
            && !response.Content.Headers.NonValidated.TryGetValues(name, out values)) return false;
        foreach (var text in values)
        {
            if (occurrence-- > 0) continue;
            if (text.Length <= value.Length) length = Encoding.Latin1.GetBytes(text, value);
            return true;
        }

        return false;
    }
}
