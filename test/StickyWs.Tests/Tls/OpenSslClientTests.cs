using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Whole connections with OpenSSL's client, which does what .NET's cannot be asked for.</summary>
public sealed class OpenSslClientTests : TlsTest
{
    private const int Tls12 = 0x0303;

    public static TheoryData<SslProtocols, bool> Kinds => TlsEndTests.Kinds;

    [Theory]
    [InlineData("TLS_AES_128_GCM_SHA256")]
    [InlineData("TLS_AES_256_GCM_SHA384")]
    [InlineData("TLS_CHACHA20_POLY1305_SHA256")]
    public void Suite_OfTls13_HasOwnRecords(string suite)
    {
        var (server, client) = Connect(Settings(), context => Assert.Equal(1, NativeClient.SSL_CTX_set_ciphersuites(context, suite)));

        Assert.Equal(suite, server.TakeFacts()!.Suite.ToString());
        Assert.True(server.HasOwnRecords);
        Exchange(server, client, 100_000);
    }

    [Theory]
    [InlineData("TLS_AES_128_CCM_SHA256")]
    public void Suite_OfAnotherKind_IsRefusedAsByTheRuntime(string suite)
    {
        var server = Accept(Settings());

        Assert.Throws<CryptographicException>(
            () => Connect(server, context => Assert.Equal(1, NativeClient.SSL_CTX_set_ciphersuites(context, suite))));

        Assert.Equal(TlsStatus.Failed, server.Status);
    }

    [Theory]
    [InlineData("ECDHE-ECDSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)]
    [InlineData("ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)]
    public void Suite_OfTls12_IsChosenByTheServer(string offered, TlsCipherSuite expected)
    {
        var (server, client) = Connect(Settings(), Offer(offered));

        Assert.Equal(expected, server.TakeFacts()!.Suite);
        Assert.False(server.HasOwnRecords);
        Exchange(server, client, 100_000);
    }

    [Theory]
    [InlineData("ECDHE-RSA-AES256-GCM-SHA384")] // Another certificate's.
    [InlineData("ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0")]
    [InlineData("ECDHE-ECDSA-CHACHA20-POLY1305")]
    public void Suite_ThatTheRuntimeDoesNotOffer_IsRefused(string offered)
    {
        var server = Accept(Settings());
        using var client = new TlsSelfTestClient(Offer(offered));

        var step = server.Receive(client.Receive([], out _));

        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Equal([21, 3, 3, 0, 2, 2, 40], step.ToPeer.ToArray());
    }

    [Theory]
    [InlineData(NativeClient.SSL_KEY_UPDATE_NOT_REQUESTED)]
    [InlineData(NativeClient.SSL_KEY_UPDATE_REQUESTED)]
    public void KeyUpdate_OfTheClient_GoesOn(int kind)
    {
        foreach (var keepsSsl in (bool[])[false, true])
        {
            var (server, client) = Connect(Settings(keepsSsl: keepsSsl));
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal(1, NativeClient.SSL_key_update(client.Ssl, kind));
                Exchange(server, client, 20_000);
            }
        }
    }

    [Fact]
    public void KeyUpdate_OfTheServer_IsUnderstood()
    {
        var (server, client) = Connect(Settings() with { RecordsPerKey = 3 });

        Exchange(server, client, 1_000_000);
        Exchange(server, client, 1_000_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public unsafe void Tickets_OfAnyNumber_AreCounted(int tickets)
    {
        var (server, client) = Connect(Settings() with { Tickets = tickets });

        Assert.True(server.HasOwnRecords);
        Assert.Equal((ulong)tickets, server.Keys->Write.Sequence);
        Exchange(server, client, 1000);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Ticket_OfAConnectionThatIsGone_Resumes(SslProtocols protocol, bool keepsSsl)
    {
        var context = Context(Settings(protocol, keepsSsl));
        var first = TlsEnd.Accept(context);
        var client = Connect(first);
        Assert.False(first.TakeFacts()!.IsResumed);
        var session = NativeClient.SSL_get1_session(client.Ssl);
        first.Dispose();

        var second = Keep(TlsEnd.Accept(context));
        var resumed = Connect(second, session: session);

        Assert.True(second.TakeFacts()!.IsResumed);
        Assert.Equal(protocol == SslProtocols.Tls13 && !keepsSsl, second.HasOwnRecords);
        Exchange(second, resumed, 100_000);
        NativeClient.SSL_SESSION_free(session);
    }

    [Fact]
    public void Ticket_OfAnotherContext_MakesAFullHandshake()
    {
        var (_, client) = Connect(Settings());
        var session = NativeClient.SSL_get1_session(client.Ssl);

        var second = Accept(Settings());
        var resumed = Connect(second, session: session);

        Assert.False(second.TakeFacts()!.IsResumed);
        Exchange(second, resumed, 1000);
        NativeClient.SSL_SESSION_free(session);
    }

    // Otherwise a client would pass the judgement by, with a session of a name that asks for no certificate.
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Ticket_WhereCertificatesAreJudged_ResumesNothing(SslProtocols protocol)
    {
        var clients = new TlsClientCertificates(AreRequired: false, (_, _) => ClientCertificateVerdict.Accepted);
        var (open, judged) = (Context(Settings()), Context(Settings() with { ClientCertificates = clients, Tickets = 2 }));
        var selected = open;
        var context = Context(Settings(protocol) with { Select = _ => selected });
        var session = NativeClient.SSL_get1_session(Connect(Keep(TlsEnd.Accept(context))).Ssl);
        var again = Keep(TlsEnd.Accept(context));
        Connect(again, session: session);
        Assert.True(again.TakeFacts()!.IsResumed);

        selected = judged;
        var other = Keep(TlsEnd.Accept(context));
        var client = Connect(other, session: session);
        Assert.False(other.TakeFacts()!.IsResumed);
        var own = NativeClient.SSL_get1_session(client.Ssl);
        foreach (var server in (TlsEnd[])[Keep(TlsEnd.Accept(context)), Keep(TlsEnd.Accept(judged))])
        {
            Exchange(server, Connect(server, session: own), 1000);
            Assert.False(server.TakeFacts()!.IsResumed);
        }

        NativeClient.SSL_SESSION_free(session);
        NativeClient.SSL_SESSION_free(own);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Select_OfAContextWithVersionsOfItsOwn_UsesThem(SslProtocols protocol)
    {
        var other = Context(Settings(protocol));

        var (server, client) = Connect(Settings() with { Select = _ => other });

        Assert.Equal(protocol, server.TakeFacts()!.Protocol);
        Exchange(server, client, 1000);
    }

    [Theory]
    [InlineData(1, 512)]
    [InlineData(4, 4096)]
    public void MaxFragmentLength_OfTheClient_IsObeyed(byte mode, int length)
    {
        foreach (var keepsSsl in (bool[])[false, true])
        {
            var (server, client) = Connect(Settings(keepsSsl: keepsSsl),
                context => Assert.Equal(1, NativeClient.SSL_CTX_set_tlsext_max_fragment_length(context, mode)));

            Assert.Equal(!keepsSsl, server.HasOwnRecords);
            Assert.Equal(2 * (length + 22), server.Seal(Bytes(2 * length)).Length);
        }
    }

    [Fact]
    public void Renegotiation_IsRefused()
    {
        var (server, client) = Connect(Settings(SslProtocols.Tls12));
        Assert.Equal(1, NativeClient.SSL_renegotiate(client.Ssl));
        var hello = client.Renegotiate();
        Assert.NotEmpty(hello);

        var step = server.Receive(hello);

        Assert.Equal(TlsStatus.Open, step.Status);
        Assert.Equal(21, step.ToPeer[0]); // A warning: no_renegotiation.
        Assert.InRange(step.ToPeer.Length, 1, 64);
    }

    [Fact]
    public void Connections_OnManyThreads_DoNotMeet()
    {
        var contexts = (TlsServerContext[])[Context(Settings()), Context(Settings(SslProtocols.Tls12)), Context(Settings(keepsSsl: true))];
        var connections = Enumerable.Range(0, 48).Select(i => new Stepped(Keep(TlsEnd.Accept(contexts[i % 3])), Keep(new TlsSelfTestClient()), i)).ToList();

        // Each round may find a connection on another thread.
        for (var round = 0; round < 40; round++) Parallel.ForEach(connections, connection => connection.Step());

        Assert.All(connections, connection => Assert.InRange(connection.Echoed, 100_000, int.MaxValue));
    }

    private static Action<nint> Offer(string ciphers) => context =>
    {
        NativeClient.SetVersion(context, Tls12);
        Assert.Equal(1, NativeClient.SSL_CTX_set_cipher_list(context, ciphers));
    };

    private static void Exchange(TlsEnd server, TlsSelfTestClient client, int size)
    {
        var step = server.Receive(client.Write(Bytes(size, 1)));
        var toClient = step.ToPeer.ToArray();
        Assert.Equal(Bytes(size, 1), step.Plain.ToArray());
        client.Receive([.. toClient, .. server.Seal(Bytes(size, 2))], out var plain);
        Assert.Equal(Bytes(size, 2), plain);
    }

    private (TlsEnd Server, TlsSelfTestClient Client) Connect(TlsServerSettings settings, Action<nint>? configure = null)
    {
        var server = Accept(settings);
        return (server, Connect(server, configure));
    }

    private TlsSelfTestClient Connect(TlsEnd server, Action<nint>? configure = null, nint session = 0)
    {
        var client = Keep(new TlsSelfTestClient(configure));
        if (session != 0) Assert.Equal(1, NativeClient.SSL_set_session(client.Ssl, session));
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < 4; flight++) toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray(), out _);
        Assert.Equal(TlsStatus.Open, server.Status);
        return client;
    }

    /// <summary>A connection that goes on by one flight at a time, and then echoes.</summary>
    private sealed class Stepped(TlsEnd server, TlsSelfTestClient client, int seed)
    {
        private byte[] _toClient = [];

        public int Echoed { get; private set; }

        public void Step()
        {
            var toServer = client.Receive(_toClient, out var plain);
            if (plain.Length > 0)
            {
                Assert.Equal(Bytes(4000, seed), plain);
                Echoed += plain.Length;
            }

            if (client.IsOpen) toServer = [.. toServer, .. client.Write(Bytes(4000, seed))];
            var step = server.Receive(toServer);
            _toClient = step.ToPeer.ToArray();
            if (step.Plain.Length > 0) _toClient = [.. _toClient, .. server.Seal(step.Plain)];
        }
    }
}
