using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>
/// A connection that has moved here from a listener that was stopped: Kestrel counts and ticks it like any other, and ends it with this listener. It is
/// being served already, so nothing may read from it.
/// </summary>
internal sealed class AdoptedConnection(MovableConnection movable, HostedConnection connection, ListenerTerm term, EndPoint local) : ConnectionContext
{
    public override string ConnectionId { get => connection.ConnectionId; set => connection.ConnectionId = value; }

    public override IFeatureCollection Features { get; } = new FeatureCollection(connection.Features);

    public override IDictionary<object, object?> Items { get => connection.Items; set => connection.Items = value; }

    public override EndPoint? LocalEndPoint { get; set; } = local;

    public override EndPoint? RemoteEndPoint { get => connection.RemoteEndPoint; set => connection.RemoteEndPoint = value; }

    public override CancellationToken ConnectionClosed { get; set; }

    /// <exception cref="InvalidOperationException">Always.</exception>
    public override IDuplexPipe Transport
    {
        get => throw InUse();
        set => throw InUse();
    }

    /// <summary>Completes when Kestrel is to let it go: at its end, or when it moves again.</summary>
    public Task StayAsync() => movable.StayAsync(KestrelSide.Of(Features), term);

    public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

    public override async ValueTask DisposeAsync()
    {
        if (!movable.TryMove()) await movable.EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static InvalidOperationException InUse() => new("The connection is in use: it came from a listener whose endpoint has changed.");
}
