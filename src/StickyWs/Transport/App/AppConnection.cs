using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>
/// A connection to the app, within this process, for requests of a client whose own connection stays where it is: two pipes between whoever feeds it
/// (<see cref="IAppClient"/>) and Kestrel, which serves it like any other. It looks like the client's, with the same id, items, addresses and TLS. There
/// is no socket behind it. What the server does continues on the thread pool, never on the feeding thread.
/// </summary>
internal sealed class AppConnection
    : HostedConnection,
    IDuplexPipe,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionTransportFeature,
    IConnectionLifetimeFeature
{
    private readonly ConnectionContext _client;
    private readonly IAppClient _feeder;
    private readonly CancellationTokenSource _closed = new();
    private readonly Pipe _input;
    private readonly Pipe _output;

    /// <param name="client">The client's own connection.</param>
    /// <param name="term">That of its listener.</param>
    /// <param name="settings">Memory and buffer limits.</param>
    /// <param name="feeder">Feeds it.</param>
    public AppConnection(ConnectionContext client, ListenerTerm? term, ChannelSettings settings, IAppClient feeder)
        : base(term)
    {
        (_client, _feeder) = (client, feeder);
        _input = new Pipe(Options(settings, settings.FromClient, reader: PipeScheduler.ThreadPool, writer: PipeScheduler.Inline));
        _output = new Pipe(Options(settings, settings.ToClient, reader: PipeScheduler.Inline, writer: PipeScheduler.ThreadPool));
        Input = new WaitingReader(_input.Reader, feeder);
        ConnectionClosed = _closed.Token;
        Transport = this;
        Features = new FeatureCollection();
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IMemoryPoolFeature>(settings);
    }

    public override IFeatureCollection Features { get; }

    public override string ConnectionId { get => _client.ConnectionId; set => _client.ConnectionId = value; }

    public override IDictionary<object, object?> Items { get => _client.Items; set => _client.Items = value; }

    public override EndPoint? LocalEndPoint { get => _client.LocalEndPoint; set => _client.LocalEndPoint = value; }

    public override EndPoint? RemoteEndPoint { get => _client.RemoteEndPoint; set => _client.RemoteEndPoint = value; }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public PipeReader Input { get; }

    public PipeWriter Output => _output.Writer;

    /// <summary>Where requests are written. Continues within the server's own call: for who only posts work.</summary>
    public PipeWriter Requests => _input.Writer;

    /// <summary>Where answers are read. As <see cref="Requests"/>.</summary>
    public PipeReader Answers => _output.Reader;

    /// <summary>Presents it to Kestrel, as a connection of the listener in charge. If there is none any more, it is aborted.</summary>
    public void Present() => Term!.Arrivals!.Present(this);

    /// <summary>The client is gone: what is under way for it is aborted.</summary>
    public void ClientHasLeft() => _ = _closed.CancelAsync();

    /// <summary>By the server: the connection is broken off.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _ = _closed.CancelAsync();
        _feeder.AppBroke();
    }

    /// <summary>The server has done with it: what it wrote can still be read.</summary>
    public override async Task CloseAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        await Output.CompleteAsync().ConfigureAwait(false);
        await _closed.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Of a handler: the others were called all the same.
    }

    private static PipeOptions Options(ChannelSettings settings, PipeOptions limits, PipeScheduler reader, PipeScheduler writer) => new(
        settings.MemoryPool, reader, writer, limits.PauseWriterThreshold, limits.ResumeWriterThreshold, useSynchronizationContext: false);
}
