using System.Net.Sockets;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A bare socket on a reactor that runs, and its peer.</summary>
public abstract class RawSocketTest : IAsyncDisposable
{
    private protected RawSocketTest(Func<Action<Exception>, SocketReactor> create)
    {
        Rig = new RelayRig(create);
        var (outer, fd) = Rig.Connect();
        Peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        Socket = new RawSocket(Rig.Reactor, fd);
    }

    private protected RelayRig Rig { get; }

    private protected RawSocket Socket { get; }

    private protected Wire Peer { get; }

    public async ValueTask DisposeAsync()
    {
        Socket.Dispose();
        await Peer.DisposeAsync();
        await Rig.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
