using System.Net;
using Microsoft.AspNetCore.Connections;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>
/// An arrival on a bare socket, which its tunnel or local reply detaches from Kestrel (the raw lane). After a wait it continues on its reactor's
/// thread.
/// </summary>
internal abstract class SocketArrival(ConnectionContext connection, IRawConnection raw) : ConnectionArrival(connection)
{
    public sealed override IPAddress? Peer => raw.Tuple.SourceAddress;

    // Whoever has left the direct lane does not enter it again.
    public sealed override bool CanBeDirect => !WasDirect;

    protected IRawConnection Raw => raw;

    /// <summary>Whether the direct lane has had it.</summary>
    protected bool WasDirect { get; set; }

    protected sealed override CancellationToken ListenerStopping => raw.Stopping;

    // Where TLS to backends is not done in the raw lane, such a tunnel needs .NET streams, on both of its ends.
    public sealed override Task ForwardAsync(RequestHead head, Decision decision, SniffingServices services)
    {
        if (decision.Pool.HasTls && !services.BackendTls.IsOn) return ForwardRealizedAsync(head, decision, services);
        var client = Detach(head.Length, services.Time);
        client.BackendTls = services.BackendTls;
        return ForwardDetachedAsync(client, head, decision, services.Forwarder);
    }

    public sealed override async ValueTask RefuseAsync(Refusal refusal, TimeProvider time)
    {
        var client = Detach(headLength: 0, time);
        await using (client.ConfigureAwait(false)) await client.RefuseAsync(refusal).ConfigureAwait(false);
    }

    /// <summary>Takes the socket away from Kestrel.</summary>
    /// <param name="headLength">Bytes of the request head, which the tunnel does not carry.</param>
    /// <param name="time">The clock.</param>
    protected abstract DetachedClient Detach(int headLength, TimeProvider time);

    private static async Task ForwardDetachedAsync(DetachedClient client, RequestHead head, Decision decision, StickyForwarder forwarder)
    {
        await client.Reactor.SwitchTo(inTurn: true); // The tunnel will live there: no more thread switches from here on.
        await using (client.ConfigureAwait(false)) await forwarder.ForwardAsync(client, head, decision).ConfigureAwait(false);
    }

    private async Task ForwardRealizedAsync(RequestHead head, Decision decision, SniffingServices services)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Away from the reactor.
        var forwarding = new PipedArrival(Realize()).ForwardAsync(head, decision, services);
        (head, decision) = (null!, null!); // An open tunnel must not keep them alive.
        await forwarding.ConfigureAwait(false);
    }
}
