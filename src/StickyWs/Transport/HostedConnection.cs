using System.Net;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Transport;

/// <summary>A connection that a listener presents to Kestrel. It may outlive the listener (<see cref="MovableConnection"/>).</summary>
internal abstract class HostedConnection(ListenerTerm? term) : ConnectionContext, IHandedOver
{
    /// <summary>The time of its listener.</summary>
    public ListenerTerm? Term { get; private set; } = term;

    /// <summary>Who serves it, or what it stands for, before Kestrel knows of it; <see langword="null"/> if Kestrel was the first.</summary>
    public IArrivalService? ServedBy { get; set; }

    /// <summary>Whether Kestrel got it from another listener than the one that accepted it.</summary>
    public bool WasHandedOver { get; private set; }

    /// <summary>Set where it may outlive its listener.</summary>
    public MovableConnection? Movable { get; set; }

    public ConnectionContext Adopt(ListenerTerm term, EndPoint local)
    {
        (Term, WasHandedOver) = (term, true);
        return this;
    }

    public void Drop()
    {
        Abort(new ConnectionAbortedException("The connection's endpoint was closed."));
        _ = CloseAsync();
    }

    public sealed override async ValueTask DisposeAsync()
    {
        if (Movable?.TryMove() != true) await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>What <see cref="DisposeAsync"/> does where it does not move.</summary>
    public abstract Task CloseAsync();
}
