using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>
/// A connection that Kestrel serves like any other, and that stays a bare socket until its transport is used: only then do its bytes go through
/// pipes, as in Kestrel's own socket connections. Before that the connection middleware may detach the socket.
/// </summary>
internal sealed class RawConnection(
    RawSocket socket,
    RawAddress? boundAddress,
    RawAddress remoteAddress,
    ChannelSettings settings,
    ILogger logger,
    ConnectionShare? share = null,
    ListenerTerm? term = null)
    : HostedConnection(term),
    IRawConnection,
    IRawSocketFeature,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionTransportFeature,
    IConnectionLifetimeFeature,
    IConnectionSocketFeature
{
    private readonly Lock _realizing = new();
    private volatile RawTransport? _own;
    private IFeatureCollection? _features;
    private string? _connectionId;
    private IDictionary<object, object?>? _items;
    private EndPoint? _localEndPoint;
    private EndPoint? _remoteEndPoint;
    private IDuplexPipe? _transport;
    private CancellationToken? _closed;
    private volatile bool _isDetached;
    private volatile Action? _abortLent;

    public ConnectionTuple Tuple => new(remoteAddress, boundAddress ?? socket.LocalAddress ?? default);

    public CancellationToken Stopping => Term?.Stopping ?? default;

    /// <summary>Whether it is still a bare socket that has not been detached.</summary>
    public bool IsRaw => _own is null && !_isDetached;

    /// <summary>Whether anybody has asked for its features. If not, there are none but its own.</summary>
    public bool HasFeatures => _features is not null;

    public override IFeatureCollection Features => _features ??= new RawFeatures(this, settings, share);

    public override string ConnectionId
    {
        get => _connectionId ??= ConnectionIds.Next();
        set => _connectionId = value;
    }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => _localEndPoint ??= (boundAddress ?? socket.LocalAddress)?.ToEndPoint();
        set => _localEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _remoteEndPoint ??= remoteAddress.ToEndPoint();
        set => _remoteEndPoint = value;
    }

    public override IDuplexPipe Transport
    {
        get => _transport ?? Own();
        set => _transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _closed ?? (_isDetached ? new CancellationToken(canceled: true) : Own().Closed); // For Kestrel it ends when its socket is detached.
        set => _closed = value;
    }

    public Socket Socket => Own().Socket;

    public bool HasPeerFinished => _own is { HasPeerFinished: true };

    public void SetDeadPeerTimeout(TimeSpan time) => Own().SetDeadPeerTimeout((int)time.TotalMilliseconds);

    public int GetOption(int level, int name, Span<byte> value) => Own().GetOption(level, name, value);

    public int Available => Own().Available;

    public bool HasUnsent => _own is { HasUnsent: true };

    public bool HasPeerLeft => socket.HasPeerLeft;

    public int TryPeek(Span<byte> buffer) => socket.TryPeek(buffer);

    public ValueTask WaitReadableAsync(CancellationToken cancellationToken) => socket.WaitReadableAsync(cancellationToken);

    public RawSocket Bare => socket;

    public RawSocket Detach()
    {
        lock (_realizing)
        {
            if (!IsRaw) throw new InvalidOperationException("The connection is in use.");
            _isDetached = true;
            return socket;
        }
    }

    public WatchedSocket Lend(Action abort)
    {
        _ = LocalEndPoint; // It can be read only from a bare socket.
        lock (_realizing)
        {
            if (!IsRaw) throw new InvalidOperationException("The connection is in use.");
            var lent = socket.ReleaseWatched();
            (_isDetached, _abortLent) = (true, abort);
            return lent;
        }
    }

    public void TakeBack(StreamingSocket socket)
    {
        lock (_realizing)
        {
            _own = new RawTransport(socket, ConnectionId, settings, logger);
            (_isDetached, _abortLent) = (false, null);
        }

        if (Bare.IsAborted) _own.Abort(new ConnectionAbortedException());
    }

    public bool TryTakeBack()
    {
        lock (_realizing)
        {
            if (!socket.TryTakeBack()) return false;
            (_isDetached, _abortLent) = (false, null);
            return true;
        }
    }

    public void NotePlain() => share?.Decide();

    public AppConnection? TryOpenApp(IAppClient client, IArrivalFeatures features)
    {
        if (ServedBy is null || Term?.Arrivals is null) return null;
        var app = new AppConnection(this, Term, settings, client) { ServedBy = ServedBy };
        features.SetOn(app);
        return app;
    }

    public ConnectionContext Realize(TlsStart? tls = null, ReadOnlyMemory<byte> early = default)
    {
        Own(tls, early);
        return this;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        socket.Abort(); // Sets its flag before the check; the creator of the transport checks the flag afterwards.
        _abortLent?.Invoke();
        _own?.Abort(abortReason);
    }

    public override async Task CloseAsync()
    {
        if (_own is { } own) await own.DisposeAsync().ConfigureAwait(false);
        else if (!_isDetached) socket.Dispose();
        share?.Settle(); // A tunnel has its backend by now, and Kestrel has released it.
    }

    // Its bytes would pass TLS by, or come before those that were received earlier.
    private static InvalidOperationException UsedAlready() => new("The connection was used before what it begins with was known.");

    private RawTransport Own(TlsStart? tls = null, ReadOnlyMemory<byte> early = default)
    {
        var isFirst = tls is not null || !early.IsEmpty;
        if (_own is { } own) return isFirst ? throw UsedAlready() : own;
        lock (_realizing)
        {
            if (_own is not null) return isFirst ? throw UsedAlready() : _own;
            ObjectDisposedException.ThrowIf(_isDetached, this);
            _ = LocalEndPoint; // It can be read only from a bare socket.
            _own = own = new RawTransport(socket, ConnectionId, settings, logger, tls, early);
        }

        if (socket.IsAborted) own.Abort(new ConnectionAbortedException()); // By a caller that did not see the transport.
        return own;
    }
}
