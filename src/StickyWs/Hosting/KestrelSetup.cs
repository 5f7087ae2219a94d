using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace StickyWs.Hosting;

/// <summary>Installs the sniffer on every listener of Kestrel, however it is added, before what the application installs.</summary>
internal sealed class KestrelSetup : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options) => options.ConfigureEndpointDefaults(listen => listen.Sniff(isFirst: true));
}
