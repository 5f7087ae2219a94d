using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Connections;
using StickyWs.Hosting;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Installs the sniffer on a single listener.</summary>
public static class StickyWsListenOptionsExtensions
{
    /// <summary>
    /// Sniffs the connections of this listener. <c>AddStickyWebSocketBalancing</c> already does so on every listener, outside TLS. Call this after
    /// <c>UseHttps</c> to recognize WebSockets inside TLS before HTTP is parsed, or where <c>ConfigureEndpointDefaults</c> is used for something
    /// else.
    /// </summary>
    /// <param name="listenOptions">The listener.</param>
    /// <exception cref="InvalidOperationException"><c>AddStickyWebSocketBalancing</c> was not called.</exception>
    public static ListenOptions UseStickyWebSocketBalancing(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        return listenOptions.Sniff(isFirst: false);
    }

    /// <summary>The same.</summary>
    /// <param name="listenOptions">The listener.</param>
    /// <param name="isFirst">Whether no middleware of the application comes before it.</param>
    internal static ListenOptions Sniff(this ListenOptions listenOptions, bool isFirst)
    {
        var services = listenOptions.ApplicationServices.GetService<SniffingServices>()
            ?? throw new InvalidOperationException("StickyWs is not added: call builder.AddStickyWebSocketBalancing() before builder.Build().");
        listenOptions.Use(next => new SniffingMiddleware(next, services, HttpsEndpoint.Of(listenOptions), isFirst).OnConnectionAsync);
        return listenOptions;
    }
}
