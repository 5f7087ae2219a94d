using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using StickyWs.Dialing;

namespace StickyWs.TestKit;

/// <summary>A backend on a raw socket: it answers each connection by the test's script and keeps the heads that it got, byte for byte.</summary>
public sealed class RawBackend : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<RawBackend, Wire, Task> _script;
    private readonly X509Certificate2? _certificate;
    private readonly Channel<Wire> _accepted = Channel.CreateUnbounded<Wire>();
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly ConcurrentBag<Wire> _wires = [];
    private readonly Task _accepting;
    private int _connections;

    private RawBackend(IPEndPoint address, Func<RawBackend, Wire, Task> script, X509Certificate2? certificate)
    {
        _listener = new TcpListener(address);
        _script = script;
        _certificate = certificate;
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>Its address as the configuration wants it.</summary>
    public string Address => $"{(_certificate is null ? "http" : "https")}://{_listener.LocalEndpoint}";

    public int Port { get; }

    /// <summary>Connections taken so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The request heads it got, in order.</summary>
    public IReadOnlyList<string> Heads => [.. _heads];

    /// <summary>What went wrong within the script, other than the end of a connection.</summary>
    public Exception? ScriptFailure { get; private set; }

    /// <summary>Runs the script on each connection; the connection stays open when the script is done, until the backend is disposed.</summary>
    public static RawBackend Start(Func<RawBackend, Wire, Task> script, IPAddress? address = null, X509Certificate2? certificate = null, int port = 0)
        => new(new IPEndPoint(address ?? IPAddress.Loopback, port), script, certificate);

    /// <summary>Reads a head, keeps it, and answers by what <paramref name="answer"/> makes of it, then closes.</summary>
    public static RawBackend Answering(Func<string, string> answer) => Start(async (backend, wire) =>
    {
        await wire.WriteAsync(answer(await backend.TakeHeadAsync(wire)));
        await wire.FinishAsync();
    });

    /// <summary>Opens a tunnel on each connection and leaves it to the test (<see cref="NextTunnelAsync"/>).</summary>
    public static RawBackend Opening(string headers = "", string firstBytes = "", X509Certificate2? certificate = null, IPAddress? address = null) => Start(
        async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            await wire.WriteAsync(HttpHead.SwitchingProtocols(head, headers) + firstBytes);
            backend.GiveToTest(wire);
        },
        address,
        certificate);

    /// <summary>Reads a request's head and keeps it.</summary>
    public async Task<string> TakeHeadAsync(Wire wire)
    {
        var head = await wire.ReadHeadAsync();
        _heads.Enqueue(head);
        return head;
    }

    public void GiveToTest(Wire wire) => _accepted.Writer.TryWrite(wire);

    /// <summary>The next connection that was given to the test.</summary>
    public async Task<Wire> NextTunnelAsync() => await _accepted.Reader.ReadAsync(Wait.Token());

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var wire in _wires) await wire.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            Interlocked.Increment(ref _connections);
            _ = RunScriptAsync(socket);
        }
    }

    private async Task RunScriptAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (_certificate is not null) stream = await DuplexTlsStream.OpenAsync(stream, tls => tls.AuthenticateAsServerAsync(_certificate));
            var wire = new Wire(socket, stream);
            _wires.Add(wire);
            await _script(this, wire);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or AuthenticationException)
        {
            // The balancer or the test has ended the connection.
        }
        catch (Exception e)
        {
            ScriptFailure = e;
        }
    }
}
