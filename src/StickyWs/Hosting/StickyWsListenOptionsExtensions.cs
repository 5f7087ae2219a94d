using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Connections;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts the sniffer into one listener by hand.</summary>
public static class StickyWsListenOptionsExtensions
{
    /// <summary>
    /// Sniffs the connections of this listener. <c>AddStickyWebSocketBalancing</c> does so on every listener already, outside TLS; call this behind
    /// <c>UseHttps</c> to have WebSockets inside TLS recognised before HTTP is parsed, or where <c>ConfigureEndpointDefaults</c> is used for something else.
    /// </summary>
    /// <param name="listenOptions">The listener.</param>
    /// <exception cref="InvalidOperationException"><c>AddStickyWebSocketBalancing</c> was not called.</exception>
    public static ListenOptions UseStickyWebSocketBalancing(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        var services = listenOptions.ApplicationServices.GetService<SniffingServices>()
            ?? throw new InvalidOperationException("StickyWs is not added: call builder.AddStickyWebSocketBalancing() before builder.Build().");
        listenOptions.Use(next => new SniffingMiddleware(next, services).OnConnectionAsync);
        return listenOptions;
    }
}
