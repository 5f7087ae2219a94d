using System.Net.Security;
using System.Reflection;
using System.Security.Authentication;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>An end in a client's role, with .NET's server and with OpenSSL's.</summary>
public sealed unsafe class ClientEndTests : TlsTest
{
    public static TheoryData<SslProtocols, bool> Kinds => TlsEndTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Data_OfAnySize_ArrivesInBothDirections(SslProtocols protocol, bool keepsSsl)
    {
        var (client, server, wire) = ConnectToDotNet(new TlsClientSettings { Protocols = protocol, KeepsSsl = keepsSsl });

        Assert.Equal(protocol == SslProtocols.Tls13 && !keepsSsl, client.HasOwnRecords);
        foreach (var size in (int[])[1, 1024, 16385, 300_000])
        {
            wire.Send(client.Seal(Bytes(size)));
            var read = new byte[size];
            server.ReadExactly(read);
            Assert.Equal(Bytes(size), read);
            var before = wire.Received.Length;
            server.Write(Bytes(size, 2));
            wire.Deliver();
            Assert.Equal(Bytes(size, 2), wire.Received[before..]);
        }

        Assert.Equal(TlsStatus.Open, client.Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Handshake_ByteByByte_Opens(SslProtocols protocol, bool keepsSsl)
    {
        var (client, server, wire) = ConnectToDotNet(new TlsClientSettings { Protocols = protocol, KeepsSsl = keepsSsl }, piece: 1);

        server.Write(Bytes(20_000));
        wire.Deliver();

        Assert.Equal(Bytes(20_000), wire.Received);
        Assert.False(client.HoldsPart);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Facts_AreThoseOfTheHandshake(SslProtocols protocol, bool keepsSsl)
    {
        var settings = new TlsClientSettings { Protocols = protocol, KeepsSsl = keepsSsl, ApplicationProtocols = [SslApplicationProtocol.Http11] };

        var (client, server, _) = ConnectToDotNet(settings);

        var facts = client.TakeFacts()!;
        Assert.Equal((protocol, "backend.test"), (facts.Protocol, facts.ServerName));
        Assert.Equal(SslApplicationProtocol.Http11, facts.ApplicationProtocol);
        Assert.Equal(TestCertificate.Server.RawData, facts.PeerCertificates![0]);
        Assert.Equal(("backend.test", SslApplicationProtocol.Http11), (server.TargetHostName, server.NegotiatedApplicationProtocol));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Tickets_OfAnyNumber_AreSkipped(int tickets)
    {
        var (client, server) = Connect(new TlsClientSettings(), Settings(keepsSsl: true) with { Tickets = tickets });

        Assert.True(client.HasOwnRecords);
        Assert.Equal((0ul, (ulong)tickets), (client.Keys->Write.Sequence, client.Keys->Read.Sequence));
        Exchange(client, server);
    }

    [Fact]
    public void Tickets_WithTheAnswer_AreSkipped()
    {
        var (client, server) = (Connect(), Accept(Settings(keepsSsl: true)));
        var toServer = client.Start().ToPeer.ToArray();
        toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray()).ToPeer.ToArray();
        var step = server.Receive([.. toServer, .. client.Seal("ask"u8)]);
        Assert.Equal("ask"u8, step.Plain);
        var tickets = step.ToPeer.ToArray();
        Assert.NotEmpty(tickets);

        Assert.Equal("answer"u8, client.Receive([.. tickets, .. server.Seal("answer"u8)]).Plain);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void KeyUpdate_OfEitherSide_GoesOn(bool clientKeepsSsl, bool serverKeepsSsl)
    {
        var (client, server) = Connect(new TlsClientSettings { KeepsSsl = clientKeepsSsl, RecordsPerKey = 3 },
            Settings(keepsSsl: serverKeepsSsl) with { RecordsPerKey = 2 });

        for (var i = 0; i < 10; i++) Exchange(client, server, 50_000);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Close_OfEitherSide_IsHeard(SslProtocols protocol, bool keepsSsl)
    {
        var (client, server) = Connect(new TlsClientSettings { Protocols = protocol, KeepsSsl = keepsSsl }, Settings());

        Assert.Equal(TlsStatus.PeerClosed, server.Receive(client.Close().ToArray()).Status);
        Assert.Equal("still"u8, client.Receive(server.Seal("still"u8).ToArray()).Plain);
        Assert.Equal(TlsStatus.PeerClosed, client.Receive(server.Close().ToArray()).Status);
    }

    [Fact]
    public void Refuse_OfACertificate_IsAnAlert()
    {
        var (client, server) = Connect(new TlsClientSettings(), Settings());

        var step = server.Receive(client.Refuse(TlsAlert.unknown_ca, "not ours").ToArray());

        Assert.Equal((TlsStatus.Failed, "not ours"), (client.Status, client.FailureReason));
        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Contains("unknown_ca", server.FailureReason, StringComparison.Ordinal);
        Assert.True(client.Refuse(TlsAlert.unknown_ca, "again").IsEmpty);
    }

    [Fact]
    public void Protocol_ThatTheServerDoesNotChoose_SaysSo()
    {
        var client = Connect(new TlsClientSettings { ApplicationProtocols = [SslApplicationProtocol.Http11] });
        var server = Accept(Settings() with { ApplicationProtocols = [SslApplicationProtocol.Http2] });

        client.Receive(server.Receive(client.Start().ToPeer.ToArray()).ToPeer.ToArray());

        Assert.Equal(TlsStatus.Failed, client.Status);
        Assert.Contains("no application protocol", client.FailureReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("\u0015\u0003\u0003\u0000\u0002\u0002\u0028")]
    [InlineData("\u0017\u0003\u0003\u0000\u0001\u0000")]
    [InlineData("\u0016\u0003\u0003\u0000\u0004\u0001\u0000\u0000\u0000")] // A ClientHello.
    [InlineData("\u0016\u0003\u0003\u0000\u0004\u0004\u0000\u0000\u0000")] // A ticket.
    public void Bytes_ThatAreNoServerHello_Fail(string latin1)
    {
        var bytes = System.Text.Encoding.Latin1.GetBytes(latin1);
        var (whole, split) = (Connect(), Connect());
        whole.Start();
        split.Start();

        whole.Receive(bytes);
        foreach (var each in bytes) split.Receive([each]);

        Assert.Equal((TlsStatus.Failed, TlsStatus.Failed), (whole.Status, split.Status));
        Assert.Equal(whole.FailureReason, split.FailureReason);
    }

    [Fact]
    public void ServerHello_WithRandomBytesChanged_NeverOpensAndNeverThrows()
    {
        var random = new Random(1);
        for (var i = 0; i < 150; i++)
        {
            var (client, server) = (Connect(), Accept(Settings()));
            var flight = server.Receive(client.Start().ToPeer.ToArray()).ToPeer.ToArray();
            // Of a record's header, OpenSSL ignores most of the version.
            var at = 0;
            for (var start = 0; start < flight.Length; start += 5 + ((flight[start + 3] << 8) | flight[start + 4]))
            {
                if (start == 0 || random.Next(3) == 0) at = start + 5 + random.Next((flight[start + 3] << 8) | flight[start + 4]);
            }

            flight[at] ^= (byte)random.Next(1, 256);

            client.Receive(flight);

            Assert.NotEqual(TlsStatus.Open, client.Status);
        }
    }

    [Fact]
    public void Handshake_LongerThanTheLimit_IsRefused()
    {
        var client = Connect();
        client.Start();
        byte[] record = [22, 3, 3, 0x10, 0, 2, 0, 0x0f, 0xfc, .. new byte[0xffc]];
        client.Receive(record);
        for (var i = 0; i < 20 && client.Status == TlsStatus.Handshaking; i++) client.Receive([22, 3, 3, 0x10, 0, .. new byte[0x1000]]);

        Assert.Equal(TlsStatus.Failed, client.Status);
    }

    [Fact]
    public void Renegotiation_AskedForByTheServer_IsRefused()
    {
        var (client, server) = Connect(new TlsClientSettings { Protocols = SslProtocols.Tls12 }, Settings());
        var ssl = (nint)typeof(TlsEnd).GetField("_ssl", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(server)!;
        NativeClient.SSL_clear_options(ssl, OpenSsl.SSL_OP_NO_RENEGOTIATION);
        Assert.Equal(1, NativeClient.SSL_renegotiate(ssl));
        var work = Workspace.StartSealing();
        work.Feed(null, 0);
        _ = NativeClient.SSL_do_handshake(ssl);
        var request = work.ToPeer.Written.ToArray();
        Assert.NotEmpty(request);

        var step = client.Receive(request);

        Assert.Equal(TlsStatus.Open, step.Status);
        Assert.Equal(21, step.ToPeer[0]); // A warning: no_renegotiation.
        Assert.InRange(step.ToPeer.Length, 1, 64);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("127.0.0.2", false)]
    [InlineData("other.test", false)]
    [InlineData(".localhost", false)]
    [InlineData("", false)]
    public void IsFor_NamesOfTheCertificate(string host, bool expected)
        => Assert.Equal(expected, PeerCertificates.IsFor(TestCertificate.Server, host));

    [Theory]
    [InlineData("a.pool.test", true)]
    [InlineData("pool.test", false)]
    [InlineData("a.b.pool.test", false)]
    [InlineData("xa.part.test", false)]
    public void IsFor_Wildcards_AreWholeLabels(string host, bool expected)
    {
        using var certificate = TestCertificate.Issue("x", -1, 1, "*.pool.test", "x*.part.test");

        Assert.Equal(expected, PeerCertificates.IsFor(certificate, host));
    }

    private TlsEnd Connect(TlsClientSettings? settings = null)
        => Keep(TlsEnd.Connect(Keep(TlsClientContext.Create(settings ?? new TlsClientSettings(), Slab)), "backend.test"));

    private (TlsEnd Client, TlsEnd Server) Connect(TlsClientSettings settings, TlsServerSettings serverSettings)
    {
        var (client, server) = (Connect(settings), Accept(serverSettings));
        var toServer = client.Start().ToPeer.ToArray();
        for (var flight = 0; flight < 4; flight++) toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray()).ToPeer.ToArray();
        Assert.Equal((TlsStatus.Open, TlsStatus.Open), (client.Status, server.Status));
        return (client, server);
    }

    private (TlsEnd Client, SslStream Server, ServerStream Wire) ConnectToDotNet(TlsClientSettings settings, int piece = int.MaxValue)
    {
        var client = Connect(settings);
        var wire = new ServerStream(client, piece);
        wire.Send(client.Start().ToPeer);
        var server = Keep(new SslStream(wire, leaveInnerStreamOpen: true));
        server.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificate = TestCertificate.Server,
            ApplicationProtocols = settings.ApplicationProtocols.Count > 0 ? [.. settings.ApplicationProtocols] : null,
        });
        wire.Deliver();
        Assert.Equal(TlsStatus.Open, client.Status);
        return (client, server, wire);
    }

    private static void Exchange(TlsEnd client, TlsEnd server, int size = 1000)
    {
        var step = server.Receive(client.Seal(Bytes(size, 1)).ToArray());
        Assert.Equal(Bytes(size, 1), step.Plain.ToArray());
        var toClient = step.ToPeer.ToArray();
        toClient = [.. toClient, .. server.Seal(Bytes(size, 2))];
        step = client.Receive(toClient);
        Assert.Equal(Bytes(size, 2), step.Plain.ToArray());
        server.Receive(step.ToPeer.ToArray());
    }
}
