using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace StickyWs.Transport;

/// <summary>
/// Kestrel's own sockets where the raw lane does not accept, with listeners that mind the limit of descriptors. Where there is none, Kestrel's own
/// factory is asked as if this were not there.
/// </summary>
internal sealed class GuardedTransportFactory(SocketTransportFactory sockets, DescriptorBudget budget, TimeProvider time) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => budget.IsLimited && sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        => new GuardedListener(await sockets.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), budget, time);
}
