using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Connections;

/// <summary>A connection as a listener has just accepted it, and the client at its other end.</summary>
internal abstract class Accepted : IAsyncDisposable
{
    public abstract ConnectionContext Connection { get; }

    public abstract Wire Client { get; }

    /// <summary>Whether the caller runs on a thread that serves sockets.</summary>
    public abstract bool IsOnReactor { get; }

    /// <summary>On a transport of Kestrel's own: its bytes come through a pipe.</summary>
    public static Accepted ByKestrel() => new Piped();

    /// <summary>On the raw transport: a bare socket.</summary>
    public static Accepted ByReactor(ReactorMode mode) => new Raw(mode, term: null);

    /// <summary>The same, to be served before Kestrel knows of it.</summary>
    public static Accepted BeforeKestrel() => new Raw(ReactorMode.Epoll, new ListenerTerm());

    /// <summary>The time of its listener, if it is to be served before Kestrel knows of it.</summary>
    public virtual ListenerTerm? Term => null;

    /// <summary>Sends as the client and returns when the connection has all that the client has sent.</summary>
    public async Task SendAsync(string text)
    {
        var before = Arrived;
        await Client.WriteAsync(text);
        await Wait.UntilAsync(() => Arrived == before + text.Length);
    }

    /// <summary>Reads so many bytes of what the connection has for the next middleware.</summary>
    public async Task<string> ReadAsync(int count)
    {
        var read = await Connection.Transport.Input.ReadAtLeastAsync(count, Wait.Token());
        var text = Encoding.Latin1.GetString(read.Buffer.ToArray());
        Connection.Transport.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    /// <summary>Breaks the connection as the client and returns when that can be seen.</summary>
    public abstract Task BreakAsync();

    public abstract ValueTask DisposeAsync();

    // Looked at, not taken.
    protected abstract int Arrived { get; }

    private sealed class Piped : Accepted
    {
        private readonly SocketConnectionContextFactory _factory = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);

        public Piped()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(listener.LocalEndpoint);
            Client = new Wire(client, new NetworkStream(client, ownsSocket: true));
            Connection = _factory.Create(listener.AcceptSocket());
        }

        public override ConnectionContext Connection { get; }

        public override Wire Client { get; }

        public override bool IsOnReactor => false;

        protected override int Arrived
        {
            get
            {
                if (!Connection.Transport.Input.TryRead(out var read)) return 0;
                Connection.Transport.Input.AdvanceTo(read.Buffer.Start);
                return (int)read.Buffer.Length;
            }
        }

        public override Task BreakAsync()
        {
            Client.Reset();
            return Wait.UntilAsync(() => Connection.ConnectionClosed.IsCancellationRequested);
        }

        public override async ValueTask DisposeAsync()
        {
            await Connection.DisposeAsync();
            await Client.DisposeAsync();
            _factory.Dispose();
        }
    }

    private sealed class Raw : Accepted
    {
        private readonly ChannelSettings _settings = new(new SocketTransportOptions(), new TransportOptions());
        private readonly byte[] _buffer = new byte[64 * 1024];
        private readonly RelayRig _rig;
        private readonly RawConnection _connection;

        public Raw(ReactorMode mode, ListenerTerm? term)
        {
            Term = term;
            _rig = new RelayRig(mode);
            var (client, fd) = _rig.Loopback.Connect(out var remote);
            Client = new Wire(client, new NetworkStream(client, ownsSocket: true));
            _connection = new RawConnection(new RawSocket(_rig.Reactor, fd), null, remote, _settings, NullLogger.Instance, term: term);
        }

        public override ListenerTerm? Term { get; }

        public override ConnectionContext Connection => _connection;

        public override Wire Client { get; }

        public override bool IsOnReactor => _rig.Reactor.IsCurrent;

        protected override int Arrived => Math.Max(_connection.TryPeek(_buffer), 0);

        // Not by a look: the kernel reports it once.
        public override async Task BreakAsync()
        {
            Client.Reset();
            await _connection.WaitReadableAsync(Wait.Token());
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Away from the reactor.
        }

        public override async ValueTask DisposeAsync()
        {
            await _connection.DisposeAsync();
            await Client.DisposeAsync();
            await _rig.DisposeAsync();
            _settings.Dispose();
        }
    }
}
