using System.Net.Security;
using System.Reflection;
using System.Security.Authentication;
using System.Text;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>HelloRetryRequest (RFC 8446, section 4.1.4): the server takes none of the key shares that the client has sent at first.</summary>
public sealed unsafe class HelloRetryTests : ClientTest
{
    private const int SSL_CTRL_SET_GROUPS_LIST = 92;

    // The random of a ServerHello that is one: SHA-256 of its name.
    private static readonly byte[] Sign = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Server_OfOtherGroupsThanDotNetsClient_Retries(bool keepsSsl)
    {
        var server = Accept(Settings(SslProtocols.Tls13, keepsSsl));
        SetGroups(server, "P-521"u8);
        var wire = new ServerStream(server);
        var client = Keep(new SslStream(wire, leaveInnerStreamOpen: true));

        client.AuthenticateAsClient(ClientOptions());

        wire.Deliver();
        Assert.True(wire.Sent.ToArray().AsSpan().IndexOf(Sign) > 0);
        Assert.Equal(!keepsSsl, server.HasOwnRecords);
        var connected = new Connected(server, client, wire);
        Assert.Equal(Bytes(50_000), connected.ToServer(Bytes(50_000)));
        Assert.Equal(Bytes(50_000, 2), connected.ToClient(Bytes(50_000, 2)));
    }

    // OpenSSL and SslStream take it.
    [Fact]
    public void Server_RetriesWithAClientThatSendsAllTheExtensionsThatFit()
    {
        var server = Accept(Settings(SslProtocols.Tls13));
        SetGroups(server, "P-521"u8);
        var wire = new ServerStream(server);
        var client = Keep(new SslStream(wire, leaveInnerStreamOpen: true));
        var options = ClientOptions();
        options.ApplicationProtocols = [.. Enumerable.Range(0, 250).Select(i => new SslApplicationProtocol([.. new byte[254], (byte)i]))];

        client.AuthenticateAsClient(options);

        wire.Deliver();
        Assert.True(wire.Sent.ToArray().AsSpan().IndexOf(Sign) > 0);
        Assert.Equal(TlsStatus.Open, server.Status);
    }

    [Theory]
    [InlineData("P-521:X25519", "X25519", false)]
    [InlineData("P-521:X25519", "X25519", true)]
    [InlineData("X25519:P-384", "P-384", false)]
    [InlineData("X25519:P-384", "P-384", true)]
    public void Server_OfOtherGroupsThanOpenSslsClient_Retries(string offered, string taken, bool keepsSsl)
    {
        var server = Accept(Settings(SslProtocols.Tls13, keepsSsl));
        SetGroups(server, Encoding.ASCII.GetBytes(taken));
        var client = Keep(new TlsSelfTestClient(context => SetGroups(context, offered)));
        var toServer = client.Receive([], out _);
        var sent = new List<byte>();
        for (var flight = 0; flight < 4; flight++)
        {
            var toClient = server.Receive(toServer).ToPeer.ToArray();
            sent.AddRange(toClient);
            toServer = client.Receive(toClient, out _);
        }

        Assert.Equal((TlsStatus.Open, !keepsSsl), (server.Status, server.HasOwnRecords));
        Assert.True(sent.ToArray().AsSpan().IndexOf(Sign) > 0);
        Assert.Equal(Bytes(50_000), server.Receive(client.Write(Bytes(50_000))).Plain.ToArray());
        client.Receive(server.Seal(Bytes(50_000, 2)).ToArray(), out var plain);
        Assert.Equal(Bytes(50_000, 2), plain);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Client_OfAServerOfOtherGroups_TriesAgain(bool keepsSsl, bool resumes)
    {
        var clients = ClientContext(new TlsClientSettings { KeepsSsl = keepsSsl, KeepsSessions = true });
        var servers = Context(Settings(SslProtocols.Tls13));
        var session = resumes ? Keep(Connect(clients, servers).Client.TakeSessions()[0]) : null;
        Sent = [];

        var (client, server) = Connect(clients, servers, (client, server) =>
        {
            SetGroups(server, "P-384"u8);
            if (session is not null) client.Offer(session);
        });

        Assert.True(Sent[0].AsSpan().IndexOf(Sign) > 0);
        Assert.Equal((!keepsSsl, resumes), (client.HasOwnRecords, client.TakeFacts()!.IsResumed));
        Exchange(client, server, 50_000);
    }

    [Fact]
    public void Client_OfAServerWithoutACommonGroup_Fails()
    {
        var (client, server) = (Keep(TlsEnd.Connect(ClientContext(new TlsClientSettings()), "backend.test")), Accept(Settings(SslProtocols.Tls13)));
        SetGroups(client, "X25519"u8);
        SetGroups(server, "P-384"u8);

        client.Receive(server.Receive(client.Start().ToPeer.ToArray()).ToPeer.ToArray());

        Assert.Equal((TlsStatus.Failed, TlsStatus.Failed), (client.Status, server.Status));
    }

    private static void SetGroups(TlsEnd end, ReadOnlySpan<byte> groups)
    {
        var ssl = (nint)typeof(TlsEnd).GetField("_ssl", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(end)!;
        fixed (byte* list = (byte[])[.. groups, 0]) Assert.Equal(1, OpenSsl.SSL_ctrl(ssl, SSL_CTRL_SET_GROUPS_LIST, 0, list));
    }

    private static void SetGroups(nint context, string groups)
    {
        fixed (byte* list = Encoding.ASCII.GetBytes(groups + '\0')) Assert.Equal(1, OpenSsl.SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, list));
    }
}
