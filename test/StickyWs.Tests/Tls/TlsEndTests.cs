using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Whole connections with .NET's client, in memory.</summary>
public sealed class TlsEndTests : TlsTest
{
    public static TheoryData<SslProtocols, bool> Kinds => new()
    {
        { SslProtocols.Tls13, false },
        { SslProtocols.Tls13, true },
        { SslProtocols.Tls12, false },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Data_OfAnySize_ArrivesInBothDirections(SslProtocols protocol, bool keepsSsl)
    {
        var connected = Connect(Settings(protocol, keepsSsl));

        Assert.Equal(protocol == SslProtocols.Tls13 && !keepsSsl, connected.Server.HasOwnRecords);
        foreach (var size in (int[])[0, 1, 1024, 1025, 16384, 16385, 1_000_000])
        {
            Assert.Equal(Bytes(size), connected.ToServer(Bytes(size)));
            Assert.Equal(Bytes(size, 2), connected.ToClient(Bytes(size, 2)));
        }

        Assert.Equal(TlsStatus.Open, connected.Server.Status);
    }

    // Nowhere else: wherever there is OpenSSL 3, the secrets come from the key provider.
    [Fact]
    public void SecretsFromTheLog_AreThoseOfTheConnection()
    {
        Assert.True(KeyProvider.IsUsed);
        var connected = Connect(Settings(SslProtocols.Tls13) with { LogsSecrets = true });

        Assert.True(connected.Server.HasOwnRecords);
        Assert.Equal(Bytes(1000), connected.ToServer(Bytes(1000)));
        Assert.Equal(Bytes(1000), connected.ToClient(Bytes(1000)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Data_ByteByByte_ArrivesInBothDirections(SslProtocols protocol, bool keepsSsl)
    {
        var connected = Connect(Settings(protocol, keepsSsl), piece: 1);

        Assert.Equal(Bytes(20_000), connected.ToServer(Bytes(20_000)));
        Assert.Equal(Bytes(20_000), connected.ToClient(Bytes(20_000)));
        Assert.False(connected.Server.HoldsPart);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Data_InOnePieceWithFinished_Arrives(SslProtocols protocol, bool keepsSsl)
    {
        var server = Accept(Settings(protocol, keepsSsl));
        var wire = new ServerStream(server);
        var client = Keep(new SslStream(wire, leaveInnerStreamOpen: true));

        client.AuthenticateAsClient(ClientOptions());
        client.Write("first"u8);
        client.Write("second"u8);
        wire.Deliver();

        Assert.Equal("firstsecond"u8.ToArray(), wire.Received);
        Assert.Equal(TlsStatus.Open, server.Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task CloseNotify_OfTheClient_IsAHalfClose(SslProtocols protocol, bool keepsSsl)
    {
        var connected = Connect(Settings(protocol, keepsSsl));

        await connected.Client.ShutdownAsync();
        connected.Wire.Deliver();

        Assert.Equal(TlsStatus.PeerClosed, connected.Server.Status);
        Assert.Equal("late"u8.ToArray(), connected.ToClient("late"u8.ToArray()));
        Assert.False(connected.Server.Close().IsEmpty);
        Assert.True(connected.Server.Close().IsEmpty);
        Assert.Equal(TlsStatus.PeerClosed, connected.Server.Receive(Bytes(100)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void CloseNotify_OfTheServer_IsAHalfClose(SslProtocols protocol, bool keepsSsl)
    {
        var connected = Connect(Settings(protocol, keepsSsl));

        connected.Wire.Send(connected.Server.Close());

        Assert.Equal(0, connected.Client.Read(new byte[10]));
        Assert.Equal("late"u8.ToArray(), connected.ToServer("late"u8.ToArray()));
        Assert.Throws<InvalidOperationException>(() => connected.Server.Seal("x"u8));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void HoldsPart_WithinARecord_IsTrue(SslProtocols protocol, bool keepsSsl)
    {
        var connected = Connect(Settings(protocol, keepsSsl));
        connected.Wire.Written.Clear();
        connected.Client.Write(Bytes(500));
        byte[] record = [.. connected.Wire.Written];

        for (var length = 1; length < record.Length; length++)
        {
            Assert.True(connected.Server.Receive(record.AsSpan(length - 1, 1)).Plain.IsEmpty);
            Assert.True(connected.Server.HoldsPart);
        }

        Assert.Equal(Bytes(500), connected.Server.Receive(record.AsSpan(^1)).Plain.ToArray());
        Assert.False(connected.Server.HoldsPart);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Facts_AreThoseOfTheHandshake_AndGivenOnce(SslProtocols protocol)
    {
        var settings = Settings(protocol) with { ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] };
        var options = ClientOptions(protocol);
        options.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2];

        var connected = Connect(settings, options);

        var expected = new TlsFacts(protocol, connected.Client.NegotiatedCipherSuite, SslApplicationProtocol.Http2, "localhost", IsResumed: false);
        Assert.Equal(expected, connected.Server.TakeFacts());
        Assert.Null(connected.Server.TakeFacts());
        Assert.Equal(SslApplicationProtocol.Http2, connected.Client.NegotiatedApplicationProtocol);
    }

    [Fact]
    public void Facts_WithoutAlpnAndName_AreDefaults()
    {
        var options = ClientOptions();
        options.TargetHost = "";

        var facts = Connect(Settings() with { ApplicationProtocols = [SslApplicationProtocol.Http11] }, options).Server.TakeFacts()!;

        Assert.Equal(default, facts.ApplicationProtocol);
        Assert.Null(facts.ServerName);
    }

    [Fact]
    public void Alpn_WithNothingInCommon_IsRefused()
    {
        var server = Accept(Settings() with { ApplicationProtocols = [SslApplicationProtocol.Http11] });
        var options = ClientOptions();
        options.ApplicationProtocols = [new SslApplicationProtocol("other")];

        Assert.ThrowsAny<Exception>(() => Connect(server, options));

        Assert.Equal(TlsStatus.Failed, server.Status);
        Assert.Contains("no application protocol", server.FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_ByServerName_ChangesTheCertificate()
    {
        var other = Context(Settings() with { Certificate = Rsa, ApplicationProtocols = [SslApplicationProtocol.Http11] });
        var settings = Settings() with { Select = name => name == "rsa.test" ? other : null, ApplicationProtocols = [SslApplicationProtocol.Http2] };
        var options = ClientOptions();
        options.TargetHost = "rsa.test";
        options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

        var selected = Connect(settings, options);
        var own = Connect(settings);

        Assert.Equal(Rsa.GetCertHashString(), selected.Client.RemoteCertificate!.GetCertHashString());
        Assert.Equal(SslApplicationProtocol.Http11, selected.Client.NegotiatedApplicationProtocol);
        Assert.Equal("rsa.test", selected.Server.TakeFacts()!.ServerName);
        Assert.Equal(TestCertificate.Server.GetCertHashString(), own.Client.RemoteCertificate!.GetCertHashString());
        Assert.True(selected.Server.HasOwnRecords && own.Server.HasOwnRecords);
        Assert.Equal(Bytes(100), selected.ToClient(Bytes(100)));
    }

    [Fact]
    public void Select_OfAContextThatKeepsSsl_KeepsIt()
    {
        var other = Context(Settings(keepsSsl: true));

        var connected = Connect(Settings() with { Select = _ => other });

        Assert.False(connected.Server.HasOwnRecords);
        Assert.Equal(Bytes(100), connected.ToClient(Bytes(100)));
    }

    [Fact]
    public void Select_ThatThrows_FailsTheHandshake()
    {
        var server = Accept(Settings() with { Select = _ => throw new InvalidOperationException("no such name") });

        Assert.ThrowsAny<Exception>(() => Connect(server));

        Assert.Equal(TlsStatus.Failed, server.Status);
        Assert.Contains("no such name", server.FailureReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Context_DisposedDuringHandshake_EndsIt(SslProtocols protocol)
    {
        var context = Context(Settings(protocol));
        var server = Keep(TlsEnd.Accept(context));
        context.Dispose();

        Assert.Equal(Bytes(100), Connect(server).ToClient(Bytes(100)));
        Assert.Throws<ObjectDisposedException>(() => TlsEnd.Accept(context));
    }

    [Fact]
    public void Protocol_OfTheClientAlone_IsRefused()
    {
        var server = Accept(Settings(SslProtocols.Tls13));

        Assert.ThrowsAny<Exception>(() => Connect(server, ClientOptions(SslProtocols.Tls12)));

        Assert.Equal(TlsStatus.Failed, server.Status);
    }

    [Fact]
    public void Create_WithOlderProtocols_IsUnavailable()
#pragma warning disable SYSLIB0039, CA5397
        => Assert.Throws<TlsUnavailableException>(() => Context(Settings(SslProtocols.Tls11 | SslProtocols.Tls12)));
#pragma warning restore SYSLIB0039, CA5397

    [Fact]
    public void Create_WithoutPrivateKey_SaysSo()
    {
        using var bare = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(TestCertificate.Server.RawData);

        var refusal = Assert.Throws<CryptographicException>(() => Context(Settings() with { Certificate = bare }));

        Assert.Contains("no private key", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Rsa_WithAnIntermediate_SendsBoth(SslProtocols protocol, bool keepsSsl)
    {
        var sent = 0;
        var options = ClientOptions();
        options.RemoteCertificateValidationCallback = (_, _, chain, _) => (sent = chain!.ChainPolicy.ExtraStore.Count) > 0;

        var connected = Connect(Settings(protocol, keepsSsl) with { Certificate = Rsa, Intermediates = [TestCertificate.Server] }, options);

        Assert.Equal(Bytes(100), connected.ToClient(Bytes(100)));
        Assert.True(sent >= 1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Dispose_InEveryState_ReturnsTheSecrets(SslProtocols protocol, bool keepsSsl)
    {
        var settings = Settings(protocol, keepsSsl);
        var fresh = Accept(settings);
        var begun = Accept(settings);
        begun.Receive([22, 3, 1, 0]);
        var failed = Accept(settings);
        failed.Receive("GET / HTTP/1.1\r\n\r\n"u8);
        var open = Connect(settings).Server;
        var closed = Connect(settings).Server;
        closed.Close();

        foreach (var end in (TlsEnd[])[fresh, begun, failed, open, closed])
        {
            end.Dispose();
            end.Dispose();
            Assert.False(end.HoldsPart);
            Assert.True(end.Close().IsEmpty);
            Assert.Throws<ObjectDisposedException>(() => end.Receive("x"u8));
            Assert.Throws<ObjectDisposedException>(() => end.Seal("x"u8));
        }

        Assert.Equal(0, Slab.InUse);
        Assert.True(Slab.IsZero());
    }

    [Fact]
    public void Seal_BeforeTheHandshakeIsOver_IsRefused()
    {
        var server = Accept(Settings());

        Assert.Throws<InvalidOperationException>(() => server.Seal(Encoding.ASCII.GetBytes("x")));
        Assert.True(server.Close().IsEmpty);
    }
}
