using System.Security.Authentication;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Messages after the handshake that a peer splits over records, while data is to be sealed: with own records and with the SSL object kept.</summary>
public sealed unsafe class SplitMessageTests : ClientTest
{
    private const byte Handshake = 22;

    // Lifetime, age_add, a nonce of one byte, a ticket of three, no extensions (RFC 8446, section 4.6.1).
    private static readonly byte[] Ticket = [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0];
    private static readonly byte[] Update = [24, 0, 0, 1, 0];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ticket_SplitAnywhere_LosesNoData(bool keepsSsl)
    {
        for (var cut = 1; cut < Ticket.Length; cut++)
        {
            var (client, server, forge) = ConnectClient(keepsSsl);

            client.Receive(forge.Seal(Handshake, Ticket.AsSpan(0, cut)));
            var (one, two) = (client.Seal("one"u8).ToArray(), client.Seal("two"u8).ToArray());
            var before = server.Receive([.. one, .. two]).Plain.ToArray();
            var step = client.Receive(forge.Seal(Handshake, Ticket.AsSpan(cut)));
            var after = server.Receive(step.ToPeer.ToArray()).Plain.ToArray();

            Assert.Equal("onetwo", Text([.. before, .. after]));
            Assert.False(client.HoldsPart);
            Assert.Equal("three"u8.ToArray(), server.Receive(client.Seal("three"u8).ToArray()).Plain.ToArray());
            Assert.Equal("answer"u8.ToArray(), client.Receive(forge.Data("answer"u8)).Plain.ToArray());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void KeyUpdate_SplitAnywhere_LosesNoData(bool keepsSsl)
    {
        for (var cut = 1; cut < Update.Length; cut++)
        {
            var (server, client, forge) = ConnectServer(keepsSsl);

            server.Receive(forge.Seal(Handshake, Update.AsSpan(0, cut)));
            var before = client.Receive(server.Seal("one"u8).ToArray()).Plain.ToArray();
            var step = server.Receive(forge.Seal(Handshake, Update.AsSpan(cut)));
            var after = client.Receive(step.ToPeer.ToArray()).Plain.ToArray();
            forge.Update();

            Assert.Equal("one", Text([.. before, .. after]));
            Assert.Equal("answer"u8.ToArray(), server.Receive(forge.Data("answer"u8)).Plain.ToArray());
        }
    }

    [Fact]
    public void Data_ThatWaitsForTheRest_IsBounded()
    {
        var (client, _, forge) = ConnectClient(keepsSsl: true);
        client.Receive(forge.Seal(Handshake, Ticket.AsSpan(0, 9)));

        for (var i = 0; i < TlsEnd.MostUnsealed / 16384; i++) Assert.True(client.Seal(new byte[16384]).IsEmpty);
        Assert.Equal((TlsStatus.Open, true), (client.Status, client.HoldsPart));
        client.Seal([1]);

        Assert.Equal((TlsStatus.Failed, false), (client.Status, client.HoldsPart));
    }

    [Fact]
    public void Close_WhileDataWaits_IsNoOrderlyEnd()
    {
        var (client, _, forge) = ConnectClient(keepsSsl: true);
        client.Receive(forge.Seal(Handshake, Ticket.AsSpan(0, 9)));
        Assert.True(client.Seal("data"u8).IsEmpty);

        Assert.True(client.Close().IsEmpty);

        Assert.Equal(TlsStatus.Failed, client.Status);
    }

    // The forge seals what the server never would. The server's own records end with it.
    private (TlsEnd Client, TlsEnd Server, RecordForge Forge) ConnectClient(bool keepsSsl)
    {
        var (client, server) = Connect(new TlsClientSettings { KeepsSsl = keepsSsl }, Settings(SslProtocols.Tls13) with { Tickets = 0 });
        return (client, server, Forge(&server.Keys->Write));
    }

    private (TlsEnd Server, TlsEnd Client, RecordForge Forge) ConnectServer(bool keepsSsl)
    {
        var (client, server) = Connect(new TlsClientSettings(), Settings(SslProtocols.Tls13, keepsSsl) with { Tickets = 0 });
        return (server, client, Forge(&client.Keys->Write));
    }

    private static string Text(byte[] bytes) => System.Text.Encoding.ASCII.GetString(bytes);
}
