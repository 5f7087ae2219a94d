using System.Security.Authentication;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Tests.Tls;
using StickyWs.Tls;

namespace StickyWs.Tests.Dialing;

/// <summary>Which sessions of a backend are kept, and how often they are offered.</summary>
public sealed class SessionShelfTests : ClientTest
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Tickets_OfTls13_AreOfferedOnceEach()
    {
        var (shelf, clients, servers) = Start(SslProtocols.Tls13);
        shelf.Keep(Connect(clients, servers).Client);
        Assert.Equal(2, shelf.Count);

        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => IsResumed(shelf, clients, servers)));
        Assert.Equal(0, shelf.Count);
    }

    [Fact]
    public void Session_OfTls12_IsOfferedAgain()
    {
        var (shelf, clients, servers) = Start(SslProtocols.Tls12);
        shelf.Keep(Connect(clients, servers).Client);

        Assert.Equal([true, true, true], Enumerable.Range(0, 3).Select(_ => IsResumed(shelf, clients, servers)));
        shelf.Clear();
        Assert.False(IsResumed(shelf, clients, servers));
    }

    [Fact]
    public void Sessions_AreTheNewest()
    {
        var (shelf, clients, servers) = Start(SslProtocols.Tls13);
        for (var i = 0; i < SessionShelf.Most; i++) shelf.Keep(Connect(clients, Context(Settings())).Client);
        Assert.Equal(SessionShelf.Most, shelf.Count);
        shelf.Keep(Connect(clients, servers).Client);

        Assert.Equal(SessionShelf.Most, shelf.Count);
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => IsResumed(shelf, clients, servers)));
        shelf.Clear();
    }

    [Fact]
    public void Sessions_AreForgottenAfterAnHour()
    {
        var (shelf, clients, servers) = Start(SslProtocols.Tls13);
        shelf.Keep(Connect(clients, servers).Client);
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.True(IsResumed(shelf, clients, servers));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(IsResumed(shelf, clients, servers));
        Assert.Equal(0, shelf.Count);
    }

    [Fact]
    public void Shelves_AreOfOneBackendUnderTheSameOptions()
    {
        var sessions = new BackendSessions(_time);
        var (tls, address) = (new TlsOptions(), new Uri("https://a.test:1"));

        Assert.Same(sessions.Of(tls, address), sessions.Of(tls, new Uri("https://a.test:1/")));
        Assert.NotSame(sessions.Of(tls, address), sessions.Of(tls, new Uri("https://a.test:2")));
        Assert.NotSame(sessions.Of(tls, address), sessions.Of(new TlsOptions(), address));
    }

    [Fact]
    public void Shelves_OfManyBackends_AreBounded()
    {
        var sessions = new BackendSessions(_time);
        var (tls, address) = (new TlsOptions(), new Uri("https://a.test:1"));
        var shelf = sessions.Of(tls, address);
        var (_, clients, servers) = Start(SslProtocols.Tls13);
        shelf.Keep(Connect(clients, servers).Client);

        for (var port = 2; port < 300; port++) sessions.Of(tls, new Uri($"https://a.test:{port}"));

        Assert.Equal(0, shelf.Count);
        Assert.NotSame(shelf, sessions.Of(tls, address));
    }

    private bool IsResumed(SessionShelf shelf, TlsClientContext clients, TlsServerContext servers)
    {
        var isOffered = false;
        var (client, server) = Connect(clients, servers, (end, _) => isOffered = shelf.TryOffer(end));
        Exchange(client, server);
        var isResumed = server.TakeFacts()!.IsResumed;
        Assert.True(isOffered || !isResumed);
        return isResumed;
    }

    private (SessionShelf Shelf, TlsClientContext Clients, TlsServerContext Servers) Start(SslProtocols protocol)
        => (new SessionShelf(_time), ClientContext(new TlsClientSettings { KeepsSessions = true }), Context(new TlsServerSettings
        {
            Certificate = TestCertificate.Server,
            Protocols = protocol,
            Tickets = 2,
        }));
}
