using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;
using StickyWs.Tls;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>The one backend of all balancers: echoes tunnels, pushes into some, answers plain HTTP. One thread, one wait for all.</summary>
/// <remarks>It is told line by line: <c>slow MILLISECONDS</c>, how long each handshake takes it from now on; <c>most</c>, how many waited at most.</remarks>
#pragma warning disable CA1001 // It serves until its process ends.
internal sealed class Backend
#pragma warning restore CA1001
{
    private readonly Dictionary<int, BackendConnection> _connections = [];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly int _listener;
    private readonly TlsServerContext? _tls;
    private readonly Epoll _epoll = new();
    private readonly HandshakeGate _gate;

    private Backend(TlsServerContext? tls, out int port)
    {
        _tls = tls;
        _gate = new HandshakeGate(_epoll);
        _listener = Tcp.Listen(out port);
    }

    /// <param name="certificate">The file with its certificate and key; none: without TLS.</param>
    public static Task<int> RunAsync(string? certificate)
    {
        var backend = new Backend(certificate is null ? null : CreateContext(certificate), out var port);
        new Thread(backend.Serve) { IsBackground = true }.Start();
        return Commands.ServeAsync(port.ToString(CultureInfo.InvariantCulture), command => Task.FromResult(backend.Answer(command)));
    }

    private string Answer(string[] command)
    {
        switch (command)
        {
            case ["slow", var milliseconds]:
                _gate.Slow(TimeSpan.FromMilliseconds(double.Parse(milliseconds, CultureInfo.InvariantCulture)));
                return "slow";
            case ["most"]:
                return _gate.Most.ToString(CultureInfo.InvariantCulture);
            default:
                return "?";
        }
    }

    private static TlsServerContext CreateContext(string file)
    {
        using var certificate = ServerCertificate.Load(file);
        return TlsServerContext.Create(new TlsServerSettings { Certificate = certificate, KeepsSsl = true });
    }

    private void Serve()
    {
        _epoll.Add(_listener, Epoll.Readable, _listener);
        while (true)
        {
            for (var i = _epoll.Wait() - 1; i >= 0; i--)
            {
                var socket = _epoll.Key(i);
                if (socket == _listener) Accept();
                else if (socket == HandshakeGate.Timer) _gate.Advance();
                else Advance(socket);
            }
        }
    }

    private void Accept()
    {
        while (Tcp.Accept(_listener) is var socket and not Tcp.NotYet)
        {
            var connection = new Connection(socket, _tls is null ? null : new TlsSession(_tls.Open()));
            _connections[socket] = new BackendConnection(connection, _epoll, _gate);
            _epoll.Add(socket, Epoll.Readable, socket);
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
