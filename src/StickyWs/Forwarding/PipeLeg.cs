using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Forwarding;

/// <summary>A client of the portable lane: its bytes go through pipes, on any transport of Kestrel.</summary>
internal abstract class PipeLeg : ClientLeg<StreamBackendConnection>
{
    private IDuplexPipe? _pipe;

    public override string Lane => LaneNames.Portable;

    public override IBackendConnector<StreamBackendConnection> Connector => StreamConnector.Instance;

    public override bool HasFinished => Socket.HasPeerFinished;

    /// <summary>The descriptors reserved for the client's connection, if it becomes one tunnel and there is a limit.</summary>
    protected virtual ConnectionShare? Share => null;

    public override async ValueTask<bool> AcceptAsync(ResponseHead answer, ReadOnlyMemory<byte> afterHead)
    {
        if (await OpenAsync(answer).ConfigureAwait(false) is not { } pipe) return false;
        await BeginAsync(pipe, afterHead).ConfigureAwait(false);
        return true;
    }

    public override async Task RelayAsync(OpenedBackend<StreamBackendConnection> opened, TunnelOptions options, TunnelTable tunnels)
    {
        var tunnel = new PipeTunnel(this, opened.Connection, opened.Lease, options, tunnels.Time) { Record = opened.Record };
        tunnel.Begin(opened.Behind, opened.Frames, opened.HasFrames, opened.Client);
        Share?.Settle();
        if (options.DeadPeerTimeout is { } time)
        {
            DeadPeer.Watch(tunnel.BackendConnection.Socket, time);
            DeadPeer.Watch(Socket, time);
        }

        try
        {
            var mayLive = tunnels.TryOpen(tunnel);
            tunnels.Announce(tunnel);
            if (!mayLive) tunnel.Abort(EndReason.Shutdown);
            await new Relay(tunnel, _pipe!, tunnels).RunAsync().ConfigureAwait(false);
        }
        finally
        {
            tunnel.Close();
            tunnels.Close(tunnel);
        }
    }

    /// <summary>Sends the tunnel's first bytes.</summary>
    protected async ValueTask BeginAsync(IDuplexPipe pipe, ReadOnlyMemory<byte> first)
    {
        pipe.Output.Write(first.Span);
        await pipe.Output.FlushAsync().ConfigureAwait(false);
        _pipe = pipe;
    }

    /// <summary>Sends the 101.</summary>
    /// <returns>The raw bytes in both directions; <see langword="null"/> if the limit of upgraded connections is reached.</returns>
    protected abstract ValueTask<IDuplexPipe?> OpenAsync(ResponseHead answer);
}
