using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using StickyWs.Configuration;

namespace StickyWs.Transport;

/// <summary>What all channels have in common: their memory, how much may wait in them, and which threads their readers and writers go on in.</summary>
internal sealed class ChannelSettings : IMemoryPoolFeature, IDisposable
{
    // About what the kernel keeps by default for a reader who is slow; the rest stops the backend.
    private const long MostOfABackend = 128 * 1024;

    /// <param name="sockets">What the application says of Kestrel's connections: how much may wait.</param>
    /// <param name="transport">Whether the application runs on the threads of the reactors.</param>
    /// <param name="pools">
    /// Makes Kestrel's own kind of memory pool, which its HTTP server counts on: the shared one's memory is empty when nobody says how much is
    /// wanted.
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
