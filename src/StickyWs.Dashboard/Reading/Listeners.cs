using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace StickyWs.Dashboard.Reading;

/// <summary>Where the application's server listens.</summary>
internal sealed class Listeners(IServer? server)
{
    /// <summary>The addresses, as the server has them; none before it has started, or if it has none.</summary>
    public IReadOnlyList<string> Addresses => server?.Features.Get<IServerAddressesFeature>() is { } feature ? [.. feature.Addresses] : [];
}
