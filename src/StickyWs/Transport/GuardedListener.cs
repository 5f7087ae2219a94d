using System.Net;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Transport;

/// <summary>A listener of Kestrel's own sockets that is held back while descriptors are short.</summary>
internal sealed class GuardedListener(IConnectionListener inner, DescriptorBudget budget, TimeProvider time) : IConnectionListener
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
