using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Whose tickets a server takes, with keys of its own and with keys that it shares.</summary>
public sealed class TicketKeysTests : TlsTest
{
    private static readonly byte[] Old = Bytes(TicketKeys.SecretLength, 1);
    private static readonly byte[] New = Bytes(TicketKeys.SecretLength, 2);

    private readonly FakeTimeProvider _time = new();

    public static TheoryData<SslProtocols> Protocols { get; } = new(SslProtocols.Tls12, SslProtocols.Tls13);

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Ticket_OfAnotherInstance_IsTakenUnderASharedKey(SslProtocols protocol)
    {
        var session = SessionOf(Context(protocol, Keys(Old)));

        Assert.True(Resumes(Context(protocol, Keys(Old)), session));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Ticket_UnderAnotherKey_MakesAFullHandshake(SslProtocols protocol)
    {
        var session = SessionOf(Context(protocol, Keys(Old)));

        Assert.False(Resumes(Context(protocol, Keys(New)), session));
        Assert.False(Resumes(Context(protocol, Keys()), session));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Ticket_UnderAnOlderKey_IsTakenAndReplaced(SslProtocols protocol)
    {
        var keys = Keys(Old);
        var context = Context(protocol, keys);
        var session = SessionOf(context);

        keys.Share([New, Old]);
        Assert.True(Resumes(context, session, out var renewed));

        keys.Share([New]);
        Assert.False(Resumes(context, session));
        Assert.True(Resumes(context, renewed));
    }

    // A client that uses each ticket once would have to do a full handshake after every second connection.
    [Fact]
    public unsafe void Ticket_OfTls13_IsReplacedWithEachUse()
    {
        var context = Context(SslProtocols.Tls13, Keys(Old));
        var session = SessionOf(context);

        for (var i = 0; i < 4; i++)
        {
            var (server, client) = (Keep(TlsEnd.Accept(context)), Keep(new TlsSelfTestClient()));
            Assert.Equal(1, NativeClient.SSL_set_session(client.Ssl, session.Handle));
            Handshake(server, client);

            Assert.True(server.TakeFacts()!.IsResumed);
            Assert.Equal(1ul, server.Keys->Write.Sequence); // One record was written: the ticket.
            session = Keep(new Session(client));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void RandomKeys_ChangeByTheHour_AndAreForgottenAfterThree(SslProtocols protocol)
    {
        var context = Context(protocol, Keys());
        var session = SessionOf(context);

        for (var hour = 1; hour <= 2; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            Assert.True(Resumes(context, session));
        }

        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(Resumes(context, session));
    }

    [Fact]
    public void RandomKeys_AfterALongRest_AreForgotten()
    {
        var context = Context(SslProtocols.Tls13, Keys());
        var session = SessionOf(context);

        _time.Advance(TimeSpan.FromHours(3));

        Assert.False(Resumes(context, session));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void SharedKeys_ThatAreTakenAway_LeaveRandomOnes(SslProtocols protocol)
    {
        var keys = Keys(Old);
        var context = Context(protocol, keys);
        var session = SessionOf(context);

        keys.Share([]);

        Assert.False(Resumes(context, session, out var next));
        Assert.True(Resumes(context, next));
    }

    [Fact]
    public void ReloadThatChangesNothing_KeepsRandomKeys()
    {
        var keys = Keys();
        var context = Context(SslProtocols.Tls13, keys);
        var session = SessionOf(context);

        keys.Share([]);

        Assert.True(Resumes(context, session));
    }

    // A client that is led astray would take an endpoint for another, whose certificate it would have refused.
    [Theory]
    [MemberData(nameof(Protocols))]
    public void Ticket_OfAnotherCertificatesNames_MakesAFullHandshake(SslProtocols protocol)
    {
        var keys = Keys(Old);
        var (here, there) = (Context(protocol, keys, Named("here.test")), Context(protocol, keys, Named("there.test")));
        var selected = here;
        var either = Context(new TlsServerSettings { Protocols = protocol, TicketKeys = keys, Select = _ => selected });
        Session[] sessions = [SessionOf(here), SessionOf(either)];

        foreach (var session in sessions)
        {
            Assert.False(Resumes(there, session));
            selected = there;
            Assert.False(Resumes(either, session));
            selected = here;
            Assert.True(Resumes(either, session));
            Assert.True(Resumes(here, session));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Ticket_OfARenewedCertificate_IsTaken(SslProtocols protocol)
    {
        var keys = Keys(Old);

        Assert.True(Resumes(Context(protocol, keys, Named("here.test")), SessionOf(Context(protocol, keys, Named("here.test")))));
    }

    [Fact]
    public void KeysThatAreGone_FailTheHandshakeAndNothingElse()
    {
        var keys = Keys();
        var context = Context(SslProtocols.Tls13, keys);
        keys.Dispose();
        var server = Keep(TlsEnd.Accept(context));
        var client = Keep(new TlsSelfTestClient());

        Assert.Throws<CryptographicException>(() => Handshake(server, client));

        Assert.Equal(TlsStatus.Failed, server.Status);
    }

    private TicketKeys Keys(params byte[][] secrets)
    {
        var keys = Keep(new TicketKeys(_time));
        keys.Share(secrets);
        return keys;
    }

    private X509Certificate2 Named(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=tickets", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return Keep(request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1)));
    }

    private TlsServerContext Context(SslProtocols protocol, TicketKeys keys, X509Certificate2 certificate)
        => Context(Settings(protocol) with { TicketKeys = keys, Certificate = certificate });

    private TlsServerContext Context(SslProtocols protocol, TicketKeys keys) => Context(Settings(protocol) with { TicketKeys = keys });

    private bool Resumes(TlsServerContext context, Session session) => Resumes(context, session, out _);

    private bool Resumes(TlsServerContext context, Session session, out Session next)
    {
        var (server, client) = (Keep(TlsEnd.Accept(context)), Keep(new TlsSelfTestClient()));
        Assert.Equal(1, NativeClient.SSL_set_session(client.Ssl, session.Handle));
        Handshake(server, client);
        Assert.Equal(TlsStatus.Open, server.Status);
        next = Keep(new Session(client));
        return server.TakeFacts()!.IsResumed;
    }

    private Session SessionOf(TlsServerContext context)
    {
        var (server, client) = (Keep(TlsEnd.Accept(context)), Keep(new TlsSelfTestClient()));
        Handshake(server, client);
        Assert.False(server.TakeFacts()!.IsResumed);
        return Keep(new Session(client));
    }

    private static void Handshake(TlsEnd server, TlsSelfTestClient client)
    {
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < 4; flight++) toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray(), out _);
    }

    private sealed class Session(TlsSelfTestClient client) : IDisposable
    {
        public nint Handle { get; } = NativeClient.SSL_get1_session(client.Ssl);

        public void Dispose() => NativeClient.SSL_SESSION_free(Handle);
    }
}
