using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>
/// Bounds the transport buffers of Kestrel's connections, unless the application has set them: the default for bytes from clients is 1 MiB, and a
/// tunnel whose backend stalls would fill it.
/// </summary>
internal sealed class TransportBufferSetup(IOptionsMonitor<StickyWsOptions> options) : IPostConfigureOptions<SocketTransportOptions>
{
    private static readonly SocketTransportOptions Unchanged = new();

    public void PostConfigure(string? name, SocketTransportOptions sockets)
    {
        int most;
        try
        {
            most = options.CurrentValue.Transport.MaxBufferSize;
        }
        catch (OptionsValidationException)
        {
            return; // Startup validation will report it; this may run long before that.
        }

        if (sockets.MaxReadBufferSize == Unchanged.MaxReadBufferSize) sockets.MaxReadBufferSize = most;
        if (sockets.MaxWriteBufferSize == Unchanged.MaxWriteBufferSize) sockets.MaxWriteBufferSize = most;
    }
}
