using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace StickyWs.Transport;

/// <summary>
/// Kestrel's own sockets where the raw lane does not accept, with listeners that respect the descriptor limit. Without a limit, calls go straight to
/// Kestrel's own factory.
/// </summary>
internal sealed class GuardedTransportFactory(SocketTransportFactory sockets, DescriptorBudget budget, TimeProvider time)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => budget.IsLimited && sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        => new GuardedListener(await sockets.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), budget, time);
}

/// <summary>A listener of Kestrel's own sockets that pauses while descriptors are short.</summary>
file sealed class GuardedListener(IConnectionListener inner, DescriptorBudget budget, TimeProvider time) : IConnectionListener
{
    private readonly AcceptGate _gate = new(budget);
    private volatile bool _isUnbound;

    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (!_isUnbound && !_gate.IsOpen) await Task.Delay(AcceptGate.Rest, time, cancellationToken).ConfigureAwait(false);
        if (_isUnbound) _gate.Drained();
        var accepting = inner.AcceptAsync(cancellationToken);
        if (!accepting.IsCompleted) _gate.Drained();
        var connection = await accepting.ConfigureAwait(false);
        if (connection is not null && budget.Admit() is { } share)
        {
            connection.Features.Set(share);
            _ = connection.ConnectionClosed.UnsafeRegister(static share => ((ConnectionShare)share!).Settle(), share);
        }

        return connection;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _isUnbound = true;
        _gate.Drained();
        return inner.UnbindAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
