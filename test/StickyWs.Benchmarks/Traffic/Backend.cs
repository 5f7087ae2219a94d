using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>The one backend of all balancers: echoes tunnels, pushes into some, answers plain HTTP. One thread, one wait for all.</summary>
internal sealed class Backend
{
    private readonly Dictionary<int, BackendConnection> _connections = [];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly int _listener;

    private Backend(out int port) => _listener = Tcp.Listen(out port);

    public static Task<int> RunAsync()
    {
        var backend = new Backend(out var port);
        new Thread(backend.Serve) { IsBackground = true }.Start();
        return Commands.ServeAsync(port.ToString(CultureInfo.InvariantCulture), _ => Task.FromResult("?"));
    }

    private void Serve()
    {
        using var epoll = new Epoll();
        epoll.Add(_listener, Epoll.Readable, _listener);
        while (true)
        {
            for (var i = epoll.Wait() - 1; i >= 0; i--)
            {
                var socket = epoll.Key(i);
                if (socket == _listener) Accept(epoll);
                else Advance(socket);
            }
        }
    }

    private void Accept(Epoll epoll)
    {
        while (Tcp.Accept(_listener) is var socket and not Tcp.NotYet)
        {
            _connections[socket] = new BackendConnection(socket, epoll);
            epoll.Add(socket, Epoll.Readable, socket);
        }
    }

    private void Advance(int socket)
    {
        if (_connections[socket].TryAdvance(_buffer)) return;
        _connections.Remove(socket);
        Tcp.Close(socket);
    }
}
