using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Direct;

/// <summary>The direct lane, and an app whose connections the test serves by hand, in the place of Kestrel. The pool has no path of the app's.</summary>
internal sealed class AppRig : IAsyncDisposable
{
    private readonly ChannelSettings _settings = new(new SocketTransportOptions(), new TransportOptions());
    private readonly ListenerTerm _term = new();
    private readonly DirectRig _rig;
    private int _opened;

    public AppRig(ReactorMode mode)
    {
        _term.Arrivals = new Arrivals(_term, TimeProvider.System, NullLogger.Instance);
        _rig = new DirectRig(mode, pool => pool.Match.PathPrefixes.Add("/pool"));
    }

    /// <summary>How many connections to the app there were.</summary>
    public int Opened => Volatile.Read(ref _opened);

    public Socket Connect()
    {
        var (client, connection) = _rig.Connect();
        Lead(connection);
        return client;
    }

    public TlsSocket ConnectTls()
    {
        var client = _rig.ConnectTls(out var connection);
        Lead(connection);
        return client;
    }

    /// <summary>A client that has asked, and the connection on which the app has read the head.</summary>
    public async Task<(Socket Client, App App)> AskAsync(string request)
    {
        var client = Connect();
        DirectRig.Send(client, request);
        var app = await AcceptAsync();
        await app.ReadToAsync("\r\n\r\n");
        return (client, app);
    }

    /// <summary>The next connection to the app.</summary>
    public async Task<App> AcceptAsync()
    {
        HostedConnection? connection;
        while (!_term.Arrivals!.TryTake(out connection)) await _term.Arrivals.WaitAsync(Wait.Token());
        return new App((AppConnection)connection);
    }

    /// <summary>Returns when all that is under way, also between the pool of threads and the reactor, has come.</summary>
    public async Task TurnAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            await Task.Run(static () => { });
            await _rig.Reactor.TurnAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        _settings.Dispose();
    }

    private void Lead(Lent connection)
    {
        var context = new DefaultConnectionContext("id");
        connection.App = feeder =>
        {
            Interlocked.Increment(ref _opened);
            return new AppConnection(context, _term, _settings, feeder);
        };
    }

    /// <summary>A connection to the app, from the server's side.</summary>
    public sealed class App(AppConnection connection)
    {
        public AppConnection Connection => connection;

        public bool HasClientLeft => connection.ConnectionClosed.IsCancellationRequested;

        /// <summary>Whether bytes are there. It does not wait for them.</summary>
        public bool HasMore
        {
            get
            {
                if (!connection.Input.TryRead(out var read)) return false;
                connection.Input.AdvanceTo(read.Buffer.Start);
                return true;
            }
        }

        /// <summary>Reads until the text has come, and nothing behind it; or up to the end.</summary>
        public async Task<string> ReadToAsync(string? end)
        {
            var text = "";
            while (end is null || !text.EndsWith(end, StringComparison.Ordinal))
            {
                var read = await connection.Input.ReadAsync(Wait.Token());
                text += Encoding.Latin1.GetString(read.Buffer);
                connection.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }

            return text;
        }

        /// <summary>Reads as many bytes, or up to the end.</summary>
        public async Task<long> CountAsync(long most)
        {
            var count = 0L;
            while (count < most)
            {
                var read = await connection.Input.ReadAsync(Wait.Token());
                count += read.Buffer.Length;
                connection.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }

            return count;
        }

        public async Task WriteAsync(string text) => await connection.Output.WriteAsync(Encoding.Latin1.GetBytes(text), Wait.Token());

        /// <summary>Whether nobody reads what is written.</summary>
        public async Task<bool> IsUnreadAsync() => (await connection.Output.FlushAsync(Wait.Token())).IsCompleted;

        public Task CloseAsync() => connection.CloseAsync();
    }
}
