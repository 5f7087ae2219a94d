using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A backend that does what a script says, byte for byte; connections are closed when their script ends.</summary>
internal sealed class RawBackend : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly ConcurrentBag<Wire> _connections = [];
    private readonly Task _accepting;

    /// <param name="script">Plays one request of a connection; given the wire and the request's head.</param>
    public RawBackend(Func<Wire, string, Task> script)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = new Uri($"http://{_listener.LocalEndPoint}");
        _accepting = AcceptAsync(script);
    }

    public Uri Address { get; }

    /// <summary>The heads of the requests that came, in order.</summary>
    public IReadOnlyList<string> Heads => [.. _heads];

    /// <summary>A backend that gives the same answer to every request and keeps its connections.</summary>
    public static RawBackend Answering(string answer) => new((wire, _) => wire.WriteAsync(answer));

    /// <summary>A backend that reads the head of a request and closes.</summary>
    public static RawBackend Closing() => new((wire, _) =>
    {
        wire.Dispose();
        return Task.CompletedTask;
    });

    /// <summary>An address that nobody listens on, and nobody else can take while the socket is held.</summary>
    public static (Socket Held, Uri Address) Dead()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (socket, new Uri($"http://{socket.LocalEndPoint}"));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        foreach (var connection in _connections) connection.Dispose();
    }

    private async Task AcceptAsync(Func<Wire, string, Task> script)
    {
        while (true)
        {
            try
            {
                var wire = new Wire(await _listener.AcceptAsync());
                _connections.Add(wire);
                _ = PlayAsync(wire, script);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PlayAsync(Wire wire, Func<Wire, string, Task> script)
    {
        try
        {
            while (await wire.ReadHeadAsync() is { } head)
            {
                _heads.Enqueue(head);
                await script(wire, head);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The balancer or the test closed the connection, which is an ordinary end.
        }
        finally
        {
            wire.Dispose();
        }
    }
}
