using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace StickyWs.Transport;

/// <summary>Makes Kestrel's own socket connections of accepted descriptors, with the application's <see cref="SocketTransportOptions"/>.</summary>
internal sealed class OrdinaryConnections(SocketTransportOptions options, IMemoryPoolFactory<byte>? pools, ILogger logger) : IMemoryPoolFeature, IDisposable
{
    private readonly SocketConnectionContextFactory _factory = new(
        new SocketConnectionFactoryOptions
        {
            IOQueueCount = options.IOQueueCount,
            MaxReadBufferSize = options.MaxReadBufferSize,
            MaxWriteBufferSize = options.MaxWriteBufferSize,
            UnsafePreferInlineScheduling = options.UnsafePreferInlineScheduling,
            WaitForDataBeforeAllocatingBuffer = options.WaitForDataBeforeAllocatingBuffer,
        },
        logger);

    /// <summary>
    /// Kestrel's own pool, which its HTTP server counts on: the factory's is the shared one, whose memory is empty when nobody says how much is wanted.
    /// </summary>
    public MemoryPool<byte> MemoryPool { get; } = pools?.Create() ?? MemoryPool<byte>.Shared;

    public ConnectionContext Create(int fd)
    {
        var connection = _factory.Create(new Socket(new SafeSocketHandle(fd, ownsHandle: true)));
        connection.Features.Set<IMemoryPoolFeature>(this);
        return connection;
    }

    public void Dispose()
    {
        _factory.Dispose();
        MemoryPool.Dispose();
    }
}
