using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace StickyWs.Hosting;

/// <summary>
/// The addresses of Kestrel's configured endpoints, read as Kestrel does. Kestrel does not say why it stops a listener: it is told by what the
/// configuration says at that moment.
/// </summary>
internal sealed class ConfiguredEndpoints(IOptions<KestrelServerOptions> kestrel, IHostApplicationLifetime lifetime)
{
    /// <summary>
    /// Whether Kestrel is to bind an address again that it stops listening on: the endpoint was changed, not removed, and the server runs on.
    /// </summary>
    public bool IsKept(IPEndPoint endPoint)
    {
        if (!lifetime.ApplicationStarted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested) return false;
        var endpoints = kestrel.Value.ConfigurationLoader?.Configuration.GetSection("Endpoints").GetChildren() ?? [];
        return endpoints.Any(endpoint => endpoint["Url"] is { } url && Listens(url, endPoint));
    }

    private static bool Listens(string url, IPEndPoint endPoint)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return false; // Kestrel refuses the whole configuration.
        }

        if (address.IsUnixPipe || address.IsNamedPipe || address.Port != endPoint.Port) return false;
        if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.IsLoopback(endPoint.Address);
        // Any other host name means every address.
        return IPAddress.TryParse(address.Host, out var one)
            ? one.Equals(endPoint.Address)
            : endPoint.Address.Equals(IPAddress.IPv6Any) || endPoint.Address.Equals(IPAddress.Any);
    }
}
