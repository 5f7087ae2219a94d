using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Direct;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tests.Direct;

/// <summary>The direct lane on one reactor, real clients, and one backend whose connections the test serves by hand.</summary>
internal sealed class DirectRig : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly RelayRig _reactor;
    private readonly Socket _listening = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _sockets = [];
    private readonly SecretSlab _slab = new();

    /// <param name="mode">The kind of the reactor.</param>
    /// <param name="configure">Changes the pool.</param>
    /// <param name="time">What idle connections are timed by.</param>
    /// <param name="configureServices">Changes the services.</param>
    /// <param name="window">The receive buffers of the backend, in bytes; <see langword="null"/> for the kernel's own.</param>
    public DirectRig(
        ReactorMode mode, Action<PoolOptions>? configure = null, TimeProvider? time = null, Action<IServiceCollection>? configureServices = null,
        int? window = null)
    {
        _reactor = new RelayRig(mode, time: time);
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (window is { } bytes) _listening.ReceiveBufferSize = bytes;
        _listening.Listen();
        var services = new ServiceCollection();
        services.AddLogging();
        if (time is not null) services.AddSingleton(time);
        configureServices?.Invoke(services);
        services.AddStickyWebSocketBalancing(options =>
        {
            var pool = new PoolOptions { Http = HttpMode.Direct };
            pool.Backends["a"] = new BackendOptions { Address = $"http://{_listening.LocalEndPoint}" };
            configure?.Invoke(pool);
            options.Pools["pool"] = pool;
        });
        _services = services.BuildServiceProvider();
        Registry.Apply(_services.GetRequiredService<IBackendSource>().Current);
        Lane = _services.GetRequiredService<DirectLane>();
    }

    public BackendRegistry Registry => _services.GetRequiredService<BackendRegistry>();

    public Backend Backend => Registry.Current.Pools[0].Backends[0];

    public IServiceProvider Services => _services;

    public DirectLane Lane { get; }

    public RelayRig Reactor => _reactor;

    public DirectDesk Desk => Lane.On(_reactor.Reactor);

    /// <summary>A client in the lane.</summary>
    /// <param name="sendBuffer">How many bytes for it the kernel is to hold; <see langword="null"/> for what it likes.</param>
    public (Socket Client, Lent Connection) Connect(int? sendBuffer = null)
    {
        var (outer, connection) = Accept(sendBuffer);
        connection.Serve(Lane.ServeAsync(connection, new NoFeatures(), "id", CancellationToken.None));
        return (outer, connection);
    }

    /// <summary>The same behind a TLS handshake.</summary>
    /// <param name="connection">Its connection.</param>
    /// <param name="first">What has come with the handshake.</param>
    /// <param name="owed">What its client has still to get of the handshake; of application data here.</param>
    /// <param name="recordsPerKey">After how many records each side changes its key.</param>
    public TlsSocket ConnectTls(out Lent connection, string first = "", string owed = "", uint recordsPerKey = TlsServerSettings.DefaultRecordsPerKey)
    {
        Assert.SkipUnless(TlsSupport.FirstRefusal() is null, "There is no OpenSSL 3.");
        (var outer, connection) = Accept(null);
        var client = new TlsSocket(outer, isClient: true, recordsPerKey);
        var end = client.Ours(_slab, recordsPerKey);
        var start = new TlsStart(end, Encoding.Latin1.GetBytes(first), end.Seal(Encoding.Latin1.GetBytes(owed)).ToArray());
        connection.Serve(Lane.ServeAsync(connection, new NoFeatures(), "id", CancellationToken.None, start));
        return client;
    }

    private (Socket Client, Lent Connection) Accept(int? sendBuffer)
    {
        var (outer, inner) = _reactor.Connect();
        if (sendBuffer is { } size)
        {
            using var socket = new Socket(new SafeSocketHandle(inner, ownsHandle: false));
            socket.SendBufferSize = size;
            outer.ReceiveBufferSize = 32_768;
        }

        outer.ReceiveTimeout = (int)Wait.Bound.TotalMilliseconds;
        _sockets.Add(outer);
        var connection = new Lent(_reactor.Reactor, inner, new RawAddress((IPEndPoint)outer.LocalEndPoint!), new RawAddress((IPEndPoint)outer.RemoteEndPoint!));
        return (outer, connection);
    }

    /// <summary>The backend's end of the next connection to it.</summary>
    public async Task<Socket> AcceptAsync()
    {
        var socket = await _listening.AcceptAsync().WaitAsync(Wait.Bound);
        socket.ReceiveTimeout = (int)Wait.Bound.TotalMilliseconds;
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>Sends text.</summary>
    public static void Send(Socket socket, string text) => socket.Send(Encoding.Latin1.GetBytes(text));

    /// <summary>Receives until the text has come, and nothing behind it; or up to the end of the connection.</summary>
    public static string ReadTo(Socket socket, string? end)
    {
        var text = "";
        var buffer = new byte[4096];
        while (end is null || !text.EndsWith(end, StringComparison.Ordinal))
        {
            var count = socket.Receive(buffer);
            if (count == 0) return text;
            text += Encoding.Latin1.GetString(buffer, 0, count);
        }

        return text;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets) socket.Dispose();
        _listening.Dispose();
        await Wait.UntilAsync(async () => await _reactor.DoAsync(() => Desk.Clients) == 0);
        await Wait.UntilAsync(async () => await _reactor.DoAsync(() => Desk.Kept.Count) == 0);
        Assert.Equal(0, Backend.ActiveRequests);
        Assert.Equal(0, _slab.InUse);
        await _reactor.DisposeAsync();
        await _services.DisposeAsync();
    }
}

/// <summary>An arrival of which nothing is known.</summary>
internal sealed class NoFeatures : IArrivalFeatures
{
    public void SetOn(ConnectionContext connection)
    {
    }
}

/// <summary>A connection that is lent to the lane, and may come back.</summary>
internal sealed class Lent(Reactor reactor, int fd, RawAddress source, RawAddress destination) : IRawConnection
{
    /// <summary>Whether the lane has given it back to Kestrel, when it has left.</summary>
    public Task<bool>? Serving { get; private set; }

    /// <summary>How it has left.</summary>
    public Task<Departure>? Leaving { get; private set; }

    public StreamingSocket? Back { get; private set; }

    public ConnectionTuple Tuple => new(source, destination);

    public bool HasPeerLeft => false;

    public CancellationToken Stopping => default;

    public RawSocket Bare { get; } = new(reactor, fd);

    public int TryPeek(Span<byte> buffer) => Bare.TryPeek(buffer);

    public ValueTask WaitReadableAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public RawSocket Detach() => throw new NotSupportedException();

    public WatchedSocket Lend(Action abort) => Bare.ReleaseWatched();

    public void TakeBack(StreamingSocket socket)
    {
        Back = socket;
        reactor.Close(socket.Number, isReset: false);
    }

    public bool TryTakeBack() => Bare.TryTakeBack();

    /// <summary>Opens its connections to an app; <see langword="null"/> where it can have none.</summary>
    public Func<IAppClient, AppConnection>? App { get; set; }

    public AppConnection? TryOpenApp(IAppClient client, IArrivalFeatures features) => App?.Invoke(client);

    public void NotePlain()
    {
    }

    public void Serve(ValueTask<Departure> serving)
    {
        Leaving = serving.AsTask();
        Serving = IsForKestrelAsync(Leaving);
    }

    private static async Task<bool> IsForKestrelAsync(Task<Departure> leaving) => (await leaving).Way == DepartureWay.ToKestrel;

    public ConnectionContext Realize(TlsStart? tls = null, ReadOnlyMemory<byte> early = default) => throw new NotSupportedException();
}
