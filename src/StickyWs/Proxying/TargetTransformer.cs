using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

/// <summary>What goes to the backend and what comes back, on top of YARP's rules for protocol headers, trailers and <c>TE</c>.</summary>
internal sealed class TargetTransformer(ProxiedRequest request, ForwardedHeaders forwarded) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
        ConnectionOptions.Drop(httpContext.Request.Headers.Connection, proxyRequest.Headers, proxyRequest.Content?.Headers);
        forwarded.Apply(httpContext, proxyRequest.Headers);
        proxyRequest.RequestUri = ClientTarget.At(request.Backend!.Address, request.Target);
        proxyRequest.Options.Set(ProxiedRequest.Key, request);
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is not null && proxyResponse.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var named))
        {
            ConnectionOptions.Drop(new StringValues([.. named]), proxyResponse.Headers, proxyResponse.Content.Headers);
        }

        var hasContent = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken).ConfigureAwait(false);
        return hasContent && !ContentRules.DropContent(httpContext.Response);
    }
}
