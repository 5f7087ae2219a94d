using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using StickyWs.Configuration;

namespace StickyWs.Transport;

/// <summary>
/// The settings that all channels share: their memory, their buffer limits, and the threads on which their readers and writers continue.
/// </summary>
internal sealed class ChannelSettings : IMemoryPoolFeature, IDisposable
{
    // About what the kernel buffers by default for a slow reader; beyond it back-pressure stops the backend.
    private const long MostOfABackend = 128 * 1024;

    /// <param name="sockets">The application's settings of Kestrel's connections: how much may be buffered.</param>
    /// <param name="transport">Whether the application runs on the reactor threads.</param>
    /// <param name="pools">
    /// Creates the kind of memory pool that Kestrel uses and its HTTP server relies on: the shared pool returns empty memory when no size is
    /// requested.
    /// </param>
    public ChannelSettings(SocketTransportOptions sockets, TransportOptions transport, IMemoryPoolFactory<byte>? pools = null)
    {
        var application = transport.UnsafePreferInlineScheduling ? PipeScheduler.Inline : PipeScheduler.ThreadPool;
        MemoryPool = pools?.Create() ?? MemoryPool<byte>.Shared;
        FromClient = Limit(sockets.MaxReadBufferSize, reader: application, writer: PipeScheduler.Inline);
        ToClient = Limit(sockets.MaxWriteBufferSize, reader: PipeScheduler.Inline, writer: application);
        FromBackend = Limit(MostOfABackend, reader: application, writer: PipeScheduler.Inline);
    }

    public MemoryPool<byte> MemoryPool { get; }

    public PipeOptions FromClient { get; }

    public PipeOptions ToClient { get; }

    public PipeOptions FromBackend { get; }

    public void Dispose() => MemoryPool.Dispose();

    private PipeOptions Limit(long? most, PipeScheduler reader, PipeScheduler writer)
        => new(MemoryPool, reader, writer, pauseWriterThreshold: most ?? 0, resumeWriterThreshold: (most ?? 0) / 2, useSynchronizationContext: false);
}
