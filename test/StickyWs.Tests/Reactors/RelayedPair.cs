using System.Net.Sockets;
using StickyWs.Kernel;
using StickyWs.TestKit;

namespace StickyWs.Tests.Reactors;

/// <summary>A pair in a relay, seen from outside: both peers, and what the relay told.</summary>
internal sealed class RelayedPair(Socket client, Socket backend, PairWitness witness, int number, int clientFd, int backendFd) : IAsyncDisposable
{
    public Wire Client { get; } = new(client, new NetworkStream(client, ownsSocket: true));

    public Wire Backend { get; } = new(backend, new NetworkStream(backend, ownsSocket: true));

    public PairWitness Witness => witness;

    /// <summary>Its number in the relay.</summary>
    public int Number => number;

    /// <summary>The peers by name, for tests of both directions.</summary>
    public (Wire Sender, Wire Receiver) Ends(bool fromClient) => fromClient ? (Client, Backend) : (Backend, Client);

    /// <summary>What the peer of a sender has acknowledged of what the relay sent to it. While the pair lives.</summary>
    public long AcknowledgedByReceiver(bool fromClient) => SocketOptions.Acknowledged(fromClient ? backendFd : clientFd);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Backend.DisposeAsync();
    }
}
