using System.Net.Sockets;
using StickyWs.TestKit;

namespace StickyWs.Tests.Reactors;

/// <summary>A pair in a relay, seen from outside: both peers, and what the relay told.</summary>
internal sealed class RelayedPair(Socket client, Socket backend, PairWitness witness, int number) : IAsyncDisposable
{
    public Wire Client { get; } = new(client, new NetworkStream(client, ownsSocket: true));

    public Wire Backend { get; } = new(backend, new NetworkStream(backend, ownsSocket: true));

    public PairWitness Witness => witness;

    /// <summary>Its number in the relay.</summary>
    public int Number => number;

    /// <summary>The peers by name, for tests of both directions.</summary>
    public (Wire Sender, Wire Receiver) Ends(bool fromClient) => fromClient ? (Client, Backend) : (Backend, Client);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Backend.DisposeAsync();
    }
}
