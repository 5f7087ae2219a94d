using System.Security.Authentication;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Tests.Tunnels;

/// <summary>
/// Both ends of TLS connections behind their handshake, of every kind: own records and OpenSSL's, each suite, fragments, frequent KeyUpdates.
/// </summary>
internal sealed class StressTls : IDisposable
{
    private readonly SecretSlab _slab = new();
    private readonly TlsServerContext[] _servers;
    private readonly TlsClientContext _clients;
    private int _connected;
    private int _kept;

    public StressTls()
    {
        _servers = [.. ((SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13]).Select(protocol => TlsServerContext.Create(
            new TlsServerSettings { Certificate = TestCertificate.Server, Protocols = protocol, KeepsSsl = true, Tickets = 0 }, _slab))];
        _clients = TlsClientContext.Create(new TlsClientSettings { KeepsSsl = true }, _slab);
    }

    /// <summary>The peer's end and ours; none for a side without TLS.</summary>
    /// <param name="random">Decides which kind.</param>
    /// <param name="isClient">Whether ours has the client's role.</param>
    public (TlsEnd? Peers, TlsEnd? Ours) Connect(Random random, bool isClient)
    {
        if (random.Next(4) == 0) return default;
        Interlocked.Increment(ref _connected);
        if (random.Next(8) > 0) return Own(random, isClient);
        Interlocked.Increment(ref _kept);
        var (client, server) = Kept(_servers[random.Next(2)]);
        return isClient ? (server, client) : (client, server);
    }

    /// <summary>There were ends of both kinds, and all their secrets are back and zero.</summary>
    public void AssertNothingIsLeft()
    {
        Assert.NotEqual(0, _kept);
        Assert.NotEqual(_kept, _connected);
        Assert.Equal(0, _slab.InUse);
        Assert.True(_slab.IsZero());
    }

    public void Dispose()
    {
        foreach (var server in _servers) server.Dispose();
        _clients.Dispose();
    }

    private (TlsEnd Peers, TlsEnd Ours) Own(Random random, bool isClient)
    {
        var suite = (RecordSuite)random.Next((int)RecordSuite.Aes128Gcm, (int)RecordSuite.ChaCha20Poly1305 + 1);
        var (one, other) = (new byte[suite.SecretLength], new byte[suite.SecretLength]);
        random.NextBytes(one);
        random.NextBytes(other);
        var fragment = random.Next(3) == 0 ? 512 : 16_384;
        return (TlsEnd.Resume(_slab, suite, one, other, (uint)random.Next(2, 300), fragment, !isClient),
            TlsEnd.Resume(_slab, suite, other, one, (uint)random.Next(2, 300), fragment, isClient));
    }

    private (TlsEnd Client, TlsEnd Server) Kept(TlsServerContext context)
    {
        var (client, server) = (TlsEnd.Connect(_clients, "stress.test"), TlsEnd.Accept(context));
        var toServer = client.Start().ToPeer.ToArray();
        for (var flight = 0; flight < 3; flight++)
        {
            var toClient = server.Receive(toServer).ToPeer.ToArray();
            toServer = client.Receive(toClient).ToPeer.ToArray();
        }

        return (client.Status, server.Status) == (TlsStatus.Open, TlsStatus.Open)
            ? (client, server)
            : throw new InvalidOperationException($"A handshake failed: {client.FailureReason ?? server.FailureReason}");
    }
}
