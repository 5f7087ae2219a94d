using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Handshake messages after the handshake, as a client takes them.</summary>
public sealed class TicketTests : OwnRecordsTest
{
    private const byte UnexpectedMessage = 10;
    private const byte DecodeError = 50;

    // Lifetime, age_add, a nonce of one byte, a ticket of three, no extensions (RFC 8446, section 4.6.1).
    private static readonly byte[] Ticket = [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0];
    private static readonly byte[] Update = [24, 0, 0, 1, 0];

    [Fact]
    public void Ticket_SplitAnywhere_IsSkipped()
    {
        for (var cut = 1; cut < Ticket.Length; cut++)
        {
            var peer = StartClient();

            var step = peer.End.Receive(Join(
                peer.Sends.Seal(Handshake, Ticket.AsSpan(0, cut)), peer.Sends.Seal(Handshake, Ticket.AsSpan(cut)), peer.Sends.Data([1])));

            Assert.Equal((TlsStatus.Open, 1, true), (step.Status, step.Plain.Length, step.ToPeer.IsEmpty));
        }
    }

    [Fact]
    public void Tickets_InOneRecordWithAKeyUpdate_AreSkipped()
    {
        var peer = StartClient();
        var first = peer.Sends.Seal(Handshake, [.. Ticket, .. Ticket, .. Update]);
        peer.Sends.Update();

        Assert.Equal([5], peer.End.Receive(Join(first, peer.Sends.Data([5]))).Plain.ToArray());
    }

    [Fact]
    public void Ticket_OfTheLongestKind_IsSkipped()
    {
        var peer = StartClient();
        byte[] body = [0, 0, 0, 9, 1, 2, 3, 4, 255, .. new byte[255], 0xff, 0xff, .. new byte[65535], 0xff, 0xfe, .. new byte[65534]];
        byte[] message = [4, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

        foreach (var part in message.Chunk(16384)) Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Seal(Handshake, part)).Status);

        Assert.Equal([1], peer.End.Receive(peer.Sends.Data([1])).Plain.ToArray());
    }

    [Theory]
    [InlineData(new byte[] { 4, 0, 0, 0 })]
    [InlineData(new byte[] { 4, 2, 1, 11 })] // 131,339 bytes.
    [InlineData(new byte[] { 4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 0 })] // No ticket in it.
    [InlineData(new byte[] { 4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 200 })] // A nonce longer than the message.
    [InlineData(new byte[] { 4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 30 })]
    [InlineData(new byte[] { 4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 1 })]
    [InlineData(new byte[] { 4, 0, 0, 18, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0 })]
    [InlineData(new byte[] { 4, 0, 0, 15, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8 })]
    public void Ticket_WhoseLengthsDoNotAddUp_IsRefused(byte[] message)
    {
        var (whole, split) = (StartClient(), StartClient());

        whole.Refused(DecodeError, whole.Sends.Seal(Handshake, message));
        foreach (var each in message.SkipLast(1)) split.End.Receive(split.Sends.Seal(Handshake, [each]));
        if (split.End.Status == TlsStatus.Open) split.Refused(DecodeError, split.Sends.Seal(Handshake, message.AsSpan(message.Length - 1)));
        Assert.Equal(TlsStatus.Failed, split.End.Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(13)] // CertificateRequest: authentication after the handshake was not offered.
    [InlineData(20)]
    public void OtherMessages_AreRefused(byte type)
    {
        var peer = StartClient();

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(Handshake, [type, 0, 0, 0]));
    }

    [Theory]
    [InlineData(Data)]
    [InlineData(Alert)]
    public void Record_WithinASplitTicket_IsRefused(byte type)
    {
        var peer = StartClient();
        Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Seal(Handshake, Ticket.AsSpan(0, 9))).Status);

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(type, [1, 0]));
    }

    [Fact]
    public void Tickets_BeyondTheLimit_AreRefused()
    {
        var peer = StartClient();
        for (var i = 0; i < TlsEnd.MostKeyUpdates; i++) Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Seal(Handshake, Ticket)).Status);

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(Handshake, Ticket));
    }

    [Fact]
    public void Ticket_OfAClient_IsRefused()
    {
        var peer = Start();

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(Handshake, Ticket));
    }

    private Peer StartClient()
    {
        var (read, write) = (Bytes(32, 11), Bytes(32, 12));
        var end = Keep(TlsEnd.Resume(Slab, RecordSuite.Aes128Gcm, read, write, TlsServerSettings.DefaultRecordsPerKey, 16384, isClient: true));
        return new Peer(end, new RecordForge(RecordSuite.Aes128Gcm, read), new RecordForge(RecordSuite.Aes128Gcm, write));
    }
}
