using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>
/// Bounds what a connection of Kestrel's holds, where the application has not said so itself: its own default for bytes from clients is 1 MiB, and a tunnel
/// whose backend stalls would fill it.
/// </summary>
internal sealed class TransportBufferSetup(IOptionsMonitor<StickyWsOptions> options) : IPostConfigureOptions<SocketTransportOptions>
{
    private static readonly SocketTransportOptions Unchanged = new();

    public void PostConfigure(string? name, SocketTransportOptions sockets)
    {
        var most = options.CurrentValue.Transport.MaxBufferSize;
        if (sockets.MaxReadBufferSize == Unchanged.MaxReadBufferSize) sockets.MaxReadBufferSize = most;
        if (sockets.MaxWriteBufferSize == Unchanged.MaxWriteBufferSize) sockets.MaxWriteBufferSize = most;
    }
}
