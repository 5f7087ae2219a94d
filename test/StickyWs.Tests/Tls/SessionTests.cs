using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>A client's sessions: taken from one connection, resumed by another.</summary>
public sealed unsafe partial class SessionTests : ClientTest
{
    private const string Library = TlsLibrary.Name;
    private const int CRYPTO_EX_INDEX_SSL_SESSION = 2;

    private static int _marked;

    public static TheoryData<SslProtocols, bool, bool> Kinds
        => new MatrixTheoryData<SslProtocols, bool, bool>([SslProtocols.Tls12, SslProtocols.Tls13], [false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Session_OfAnotherConnection_IsResumed(SslProtocols protocol, bool keepsSsl, bool serverKeepsSsl)
    {
        var (clients, servers) = (Clients(keepsSsl), Context(Settings(protocol, serverKeepsSsl)));
        var (client, server) = Connect(clients, servers);
        Assert.False(server.TakeFacts()!.IsResumed);
        Exchange(client, server);

        for (var i = 0; i < 3; i++)
        {
            var session = Assert.Single(client.TakeSessions().Select(Keep).Take(1));
            Assert.Equal(protocol == SslProtocols.Tls13, session.IsForOneUse);
            var (again, resumed) = Connect(clients, servers, (end, _) => end.Offer(session));

            Assert.True(resumed.TakeFacts()!.IsResumed);
            var facts = again.TakeFacts()!;
            Assert.Equal((true, protocol), (facts.IsResumed, facts.Protocol));
            Assert.Equal(TestCertificate.Server.RawData, facts.PeerCertificates![0]); // To be judged as ever.
            Assert.Equal(protocol == SslProtocols.Tls13 && !keepsSsl, again.HasOwnRecords);
            Exchange(again, resumed, 50_000);
            if (protocol == SslProtocols.Tls13) client = again;
            else client = Connect(clients, servers).Client;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Session_OfAServerThatIsAnotherNow_LeadsToAFullHandshake(bool keepsSsl)
    {
        var clients = Clients(keepsSsl);
        var session = Keep(Connect(clients, Context(Settings())).Client.TakeSessions()[0]);

        var (client, server) = Connect(clients, Context(Settings() with { Certificate = Rsa }), (end, _) => end.Offer(session));

        var facts = client.TakeFacts()!;
        Assert.False(facts.IsResumed);
        Assert.Equal(Rsa.RawData, facts.PeerCertificates![0]);
        Exchange(client, server);
    }

    // The SSL object that only reads tickets is freed with the first record of another kind, and after a few tickets.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(20, 4)]
    public void Sessions_OfOwnRecords_AreAFew(int tickets, int expected)
    {
        var (client, server) = Connect(Clients(keepsSsl: false), Context(Settings() with { Tickets = tickets }));

        Assert.True(client.HasOwnRecords);
        Exchange(client, server);
        var sessions = client.TakeSessions().Select(Keep).ToList();

        Assert.Equal(expected, sessions.Count);
        Assert.Equal((ulong)tickets + 1, client.Keys->Read.Sequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ticket_ThatIsSplitOrForged_HarmsNothing(bool keepsSsl)
    {
        byte[] ticket = [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0];
        for (var cut = 1; cut < ticket.Length; cut++)
        {
            var (client, server) = Connect(Clients(keepsSsl), Context(Settings(SslProtocols.Tls13) with { Tickets = 0 }));
            var forge = Forge(&server.Keys->Write);
            client.Receive(forge.Seal(22, ticket.AsSpan(0, cut)));
            var step = client.Receive(forge.Seal(22, ticket.AsSpan(cut)));

            Assert.Equal((TlsStatus.Open, true), (step.Status, step.ToPeer.IsEmpty));
            Keep(Assert.Single(client.TakeSessions()));
            Assert.Equal("on"u8.ToArray(), client.Receive(forge.Data("on"u8)).Plain.ToArray());
            Assert.Equal("on"u8.ToArray(), server.Receive(client.Seal("on"u8).ToArray()).Plain.ToArray());
        }
    }

    // What OpenSSL refuses and the own records accept must not come between: extensions are read by OpenSSL alone.
    [Fact]
    public void Ticket_ThatOpenSslAloneRefuses_IsSkipped()
    {
        byte[] ticket = [4, 0, 0, 18, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 1, 9];
        var (client, server) = Connect(Clients(keepsSsl: false), Context(Settings(SslProtocols.Tls13) with { Tickets = 0 }));
        var forge = Forge(&server.Keys->Write);

        var step = client.Receive(forge.Seal(22, ticket));

        Assert.Equal((TlsStatus.Open, true), (step.Status, step.ToPeer.IsEmpty));
        Assert.Empty(client.TakeSessions());
        Assert.Equal("on"u8.ToArray(), client.Receive(forge.Data("on"u8)).Plain.ToArray());
        Assert.Equal("on"u8.ToArray(), server.Receive(client.Seal("on"u8).ToArray()).Plain.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void KeyUpdate_AmongTickets_GoesOn(bool keepsSsl)
    {
        byte[] ticket = [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0];
        var (client, server) = Connect(Clients(keepsSsl), Context(Settings(SslProtocols.Tls13) with { Tickets = 0 }));
        var forge = Forge(&server.Keys->Write);
        client.Receive(forge.Seal(22, ticket));
        client.Receive(forge.Seal(22, [24, 0, 0, 1, 0]));
        forge.Update();
        client.Receive(forge.Seal(22, ticket));

        Assert.InRange(client.TakeSessions().Select(Keep).Count(), 1, 2);
        Assert.Equal("on"u8.ToArray(), client.Receive(forge.Data("on"u8)).Plain.ToArray());
    }

    [Fact]
    public void Forgotten_SessionsAreNotTakenAnyMore()
    {
        var (client, server) = Connect(Clients(keepsSsl: true), Context(Settings(SslProtocols.Tls13) with { Tickets = 0 }));
        client.ForgetSessions();

        client.Receive(Forge(&server.Keys->Write).Seal(22, [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0]));

        Assert.Equal(TlsStatus.Open, client.Status);
        Assert.Empty(client.TakeSessions());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void References_Pair(SslProtocols protocol, bool keepsSsl, bool resumes)
    {
        var index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, null, null, &OnCopy, &OnFree);
        var (clients, servers) = (Clients(keepsSsl), Context(Settings(protocol)));
        var first = TlsEnd.Connect(clients, "backend.test");
        Do(first);
        var sessions = first.TakeSessions();
        Assert.NotEmpty(sessions);
        foreach (var session in sessions)
        {
            Assert.Equal(1, SSL_SESSION_set_ex_data(session.DangerousGetHandle(), index, 1));
            Interlocked.Increment(ref _marked);
        }

        if (resumes)
        {
            var second = TlsEnd.Connect(clients, "backend.test");
            second.Offer(sessions[0]);
            Do(second);
            second.Dispose();
        }

        first.Dispose();
        Assert.NotEqual(0, _marked);
        foreach (var session in sessions) session.Dispose();

        Assert.Equal(0, _marked);

        void Do(TlsEnd client)
        {
            using var server = TlsEnd.Accept(servers);
            var toServer = client.Start().ToPeer.ToArray();
            for (var flight = 0; flight < 4; flight++) toServer = client.Receive(server.Receive(toServer).ToPeer.ToArray()).ToPeer.ToArray();
            Assert.Equal(TlsStatus.Open, client.Status);
        }
    }

    private TlsClientContext Clients(bool keepsSsl) => ClientContext(new TlsClientSettings { KeepsSsl = keepsSsl, KeepsSessions = true });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnCopy(nint to, nint from, nint* value, int index, nint number, nint pointer)
    {
        if (*value != 0) Interlocked.Increment(ref _marked);
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFree(nint parent, nint value, nint data, int index, nint number, nint pointer)
    {
        if (value != 0) Interlocked.Decrement(ref _marked);
    }

    [LibraryImport(Library)]
    private static partial int CRYPTO_get_ex_new_index(int kind, nint number, void* pointer, void* create,
        delegate* unmanaged[Cdecl]<nint, nint, nint*, int, nint, nint, int> copy,
        delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void> free);

    [LibraryImport(Library)]
    private static partial int SSL_SESSION_set_ex_data(nint session, int index, nint value);
}
