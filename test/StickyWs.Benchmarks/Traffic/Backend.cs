using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;
using StickyWs.Tls;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>The one backend of all balancers: echoes tunnels, pushes into some, answers plain HTTP. One thread, one wait for all.</summary>
internal sealed class Backend
{
    private readonly Dictionary<int, BackendConnection> _connections = [];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly int _listener;
    private readonly TlsServerContext? _tls;

    private Backend(TlsServerContext? tls, out int port)
    {
        _tls = tls;
        _listener = Tcp.Listen(out port);
    }

    /// <param name="certificate">The file with its certificate and key; none: without TLS.</param>
    public static Task<int> RunAsync(string? certificate)
    {
        var backend = new Backend(certificate is null ? null : CreateContext(certificate), out var port);
        new Thread(backend.Serve) { IsBackground = true }.Start();
        return Commands.ServeAsync(port.ToString(CultureInfo.InvariantCulture), _ => Task.FromResult("?"));
    }

    private static TlsServerContext CreateContext(string file)
    {
        using var certificate = ServerCertificate.Load(file);
        return TlsServerContext.Create(new TlsServerSettings { Certificate = certificate, KeepsSsl = true });
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
            var connection = new Connection(socket, _tls is null ? null : new TlsSession(_tls.Open()));
            _connections[socket] = new BackendConnection(connection, epoll);
            epoll.Add(socket, Epoll.Readable, socket);
        }
    }

    private void Advance(int socket)
    {
        var connection = _connections[socket];
        if (connection.TryAdvance(_buffer)) return;
        _connections.Remove(socket);
        connection.Dispose();
    }
}
