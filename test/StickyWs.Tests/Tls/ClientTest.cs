using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Both roles are ends of ours, in memory.</summary>
public abstract class ClientTest : TlsTest
{
    internal TlsClientContext ClientContext(TlsClientSettings settings) => Keep(TlsClientContext.Create(settings, Slab));

    internal (TlsEnd Client, TlsEnd Server) Connect(TlsClientSettings settings, TlsServerSettings server)
        => Connect(ClientContext(settings), Context(server));

    /// <summary>A connection whose handshake is over, and whose tickets have arrived.</summary>
    internal (TlsEnd Client, TlsEnd Server) Connect(TlsClientContext clients, TlsServerContext servers, Action<TlsEnd, TlsEnd>? prepare = null)
    {
        var (client, server) = (Keep(TlsEnd.Connect(clients, "backend.test")), Keep(TlsEnd.Accept(servers)));
        prepare?.Invoke(client, server);
        var toServer = client.Start().ToPeer.ToArray();
        for (var flight = 0; flight < 4; flight++)
        {
            var toClient = server.Receive(toServer).ToPeer.ToArray();
            Sent?.Add(toClient);
            toServer = client.Receive(toClient).ToPeer.ToArray();
        }

        Assert.Equal((TlsStatus.Open, TlsStatus.Open), (client.Status, server.Status));
        return (client, server);
    }

    /// <summary>The server's flights, for a test that wants them.</summary>
    internal List<byte[]>? Sent { get; set; }

    internal static void Exchange(TlsEnd client, TlsEnd server, int size = 1000)
    {
        var step = server.Receive(client.Seal(Bytes(size, 1)).ToArray());
        Assert.Equal(Bytes(size, 1), step.Plain.ToArray());
        step = client.Receive(server.Seal(Bytes(size, 2)).ToArray());
        Assert.Equal(Bytes(size, 2), step.Plain.ToArray());
    }

    /// <summary>What goes on with one direction of an end with own records.</summary>
    internal static unsafe RecordForge Forge(TrafficKeys* keys)
        => new(keys->Suite, new ReadOnlySpan<byte>(keys->Secret, keys->SecretLength).ToArray()) { Sequence = keys->Sequence };
}
