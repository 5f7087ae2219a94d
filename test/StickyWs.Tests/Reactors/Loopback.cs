using System.Net;
using System.Net.Sockets;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Reactors;

/// <summary>Real connections over loopback, of each of which the inner end is a bare descriptor as the raw lane has them.</summary>
internal sealed class Loopback : IDisposable
{
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly RawSocketAcceptor _acceptor;

    public Loopback(Reactor reactor)
    {
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen(512);
        _listening.Blocking = false;
        SocketOptions.SetUrgentInline((int)_listening.Handle); // As the product's listener.
        _acceptor = new RawSocketAcceptor(reactor, (int)_listening.Handle);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listening.LocalEndPoint!;

    /// <summary>The outer end, blocking and the caller's own, and the inner one, non-blocking and nobody's yet.</summary>
    public (Socket Outer, int Inner) Connect(out RawAddress remote)
    {
        var outer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        outer.Connect(EndPoint);
        while (true)
        {
            switch (_acceptor.TryAccept(out var fd, out remote))
            {
                case Errno.None:
                    return (outer, fd);
                case Errno.EAGAIN:
                    Thread.Yield(); // The last packet of the handshake is on its way.
                    break;
                case var error:
                    throw error.ToSocketException();
            }
        }
    }

    public (Socket Outer, int Inner) Connect() => Connect(out _);

    public void Dispose()
    {
        _acceptor.Dispose();
        _listening.Dispose();
    }
}
