using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>
/// A connection that Kestrel serves like any other, and that is a bare socket until somebody uses its transport: then, and only then, it becomes one of Kestrel's own
/// socket connections. Before that the connection middleware may take the socket away.
/// </summary>
internal sealed class RawConnection : ConnectionContext, IRawConnection
{
    private readonly RawSocket _socket;
    private readonly OrdinaryConnections _connections;
    private readonly Lock _realizing = new();
    private volatile ConnectionContext? _realized;
    private string? _connectionId;
    private IDictionary<object, object?>? _items;
    private EndPoint? _localEndPoint;
    private EndPoint? _remoteEndPoint;
    private readonly RawAddress? _boundAddress;
    private readonly RawAddress _remoteAddress;
    private volatile bool _isDetached;

    public RawConnection(RawSocket socket, RawAddress? boundAddress, RawAddress remoteAddress, OrdinaryConnections connections)
    {
        _socket = socket;
        _boundAddress = boundAddress;
        _remoteAddress = remoteAddress;
        _connections = connections;
        Features = new RawFeatures(this);
    }

    public ConnectionTuple Tuple => new(_remoteAddress, _boundAddress ?? _socket.LocalAddress ?? default);

    /// <summary>The ordinary connection that it has become, if it has.</summary>
    public ConnectionContext? Realized => _realized;

    /// <summary>Whether it still is a bare socket that nobody has taken.</summary>
    public bool IsRaw => _realized is null && !_isDetached;

    public override IFeatureCollection Features { get; }

    public override string ConnectionId
    {
        get => _realized?.ConnectionId ?? (_connectionId ??= ConnectionIds.Next());
        set
        {
            _connectionId = value;
            if (_realized is { } realized) realized.ConnectionId = value;
        }
    }

    public override IDictionary<object, object?> Items
    {
        get => _realized?.Items ?? (_items ??= new ConnectionItems());
        set
        {
            _items = value;
            if (_realized is { } realized) realized.Items = value;
        }
    }

    public override EndPoint? LocalEndPoint
    {
        get => _localEndPoint ??= _realized?.LocalEndPoint ?? (_boundAddress ?? _socket.LocalAddress)?.ToEndPoint();
        set => _localEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _remoteEndPoint ??= _remoteAddress.ToEndPoint();
        set => _remoteEndPoint = value;
    }

    public override IDuplexPipe Transport
    {
        get => Realize().Transport;
        set => Realize().Transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _isDetached ? new CancellationToken(canceled: true) : Realize().ConnectionClosed; // To Kestrel it has ended when its socket was taken.
        set => Realize().ConnectionClosed = value;
    }

    public bool HasPeerLeft => _socket.HasPeerLeft;

    public int TryPeek(Span<byte> buffer) => _socket.TryPeek(buffer);

    public ValueTask WaitReadableAsync(CancellationToken cancellationToken) => _socket.WaitReadableAsync(cancellationToken);

    public RawSocket Detach()
    {
        lock (_realizing)
        {
            if (!IsRaw) throw new InvalidOperationException("The connection is in use.");
            _isDetached = true;
            return _socket;
        }
    }

    public ConnectionContext Realize()
    {
        if (_realized is { } realized) return realized;
        lock (_realizing)
        {
            if (_realized is not null) return _realized;
            ObjectDisposedException.ThrowIf(_isDetached, this);
            _realized = realized = Create();
        }

        if (_socket.IsAborted) realized.Abort(new ConnectionAbortedException()); // By somebody who did not see it realized.
        return realized;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _socket.Abort(); // Sets its mark before the look, as Realize looks for the mark behind its own.
        _realized?.Abort(abortReason);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_realized is { } realized) await realized.DisposeAsync().ConfigureAwait(false);
        else if (!_isDetached) _socket.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private ConnectionContext Create()
    {
        var connection = _connections.Create(_socket.Release());
        connection.ConnectionId = ConnectionId;
        if (_localEndPoint is not null) connection.LocalEndPoint = _localEndPoint;
        if (_remoteEndPoint is not null) connection.RemoteEndPoint = _remoteEndPoint;
        if (_items is not null) connection.Items = _items;
        foreach (var (type, feature) in Features) connection.Features[type] = feature;
        return connection;
    }
}
