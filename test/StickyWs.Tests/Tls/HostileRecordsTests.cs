using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>The own record layer and a peer that breaks its rules: what is sent back, and that nothing of it is passed on.</summary>
public sealed class HostileRecordsTests : OwnRecordsTest
{
    private const byte UnexpectedMessage = 10;
    private const byte BadRecordMac = 20;
    private const byte RecordOverflow = 22;
    private const byte IllegalParameter = 47;
    private const byte DecodeError = 50;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyByte_Changed_IsRefusedAndNothingIsPassedOn(byte suite)
    {
        for (var i = 5; i < 5 + 20 + 17; i++)
        {
            var peer = Start((RecordSuite)suite);
            var good = peer.Sends.Data([1]);
            var bad = peer.Sends.Data(Bytes(20));
            bad[i] ^= 0x10;

            var step = peer.End.Receive(Join(good, bad));

            Assert.Equal((TlsStatus.Failed, 1), (step.Status, step.Plain.Length));
            Assert.Equal([Of(Alert, [2, BadRecordMac])], peer.Reads.Open(step.ToPeer));
        }
    }

    [Fact]
    public void Version_Changed_IsRefused()
    {
        var peer = Start();
        var record = peer.Sends.Data([1]);
        record[2] = 1;

        peer.Refused(BadRecordMac, record);
    }

    [Fact]
    public void Record_Repeated_IsRefused()
    {
        var peer = Start();
        var record = peer.Sends.Data([1]);
        peer.End.Receive(record);

        peer.Refused(BadRecordMac, record);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    public void Record_ShorterThanATag_IsRefused(byte length)
    {
        var peer = Start();

        peer.Refused(BadRecordMac, [Data, 3, 3, 0, length, .. new byte[length]]);
    }

    [Fact]
    public void Record_WithoutType_IsRefused()
    {
        var (empty, zeros) = (Start(), Start());

        empty.Refused(UnexpectedMessage, empty.Sends.SealInner([]));
        zeros.Refused(UnexpectedMessage, zeros.Sends.SealInner(new byte[100]));
    }

    [Theory]
    [InlineData(16641)]
    [InlineData(65535)]
    public void Header_OfATooLongRecord_IsRefusedBeforeItsBody(int length)
    {
        var peer = Start();

        peer.Refused(RecordOverflow, [Data, 3, 3, (byte)(length >> 8), (byte)length]);
    }

    [Fact]
    public void Header_OfATooLongRecordByteByByte_IsRefused()
    {
        var peer = Start();
        foreach (var each in (byte[])[Data, 3, 3, 255]) Assert.Equal(TlsStatus.Open, peer.End.Receive([each]).Status);

        peer.Refused(RecordOverflow, [255]);
        Assert.False(peer.End.HoldsPart);
    }

    [Fact]
    public void Content_LongerThanARecordMayHold_IsRefused()
    {
        var (content, padding) = (Start(), Start());

        content.Refused(RecordOverflow, content.Sends.Data(Bytes(16385)));
        padding.Refused(RecordOverflow, padding.Sends.Seal(Data, Bytes(10), padding: 16375));
    }

    [Fact]
    public void Content_LongerThanAgreed_IsRefused()
    {
        var peer = Start(fragment: 512);
        Assert.Equal(512, peer.End.Receive(peer.Sends.Data(Bytes(512))).Plain.Length);

        peer.Refused(RecordOverflow, peer.Sends.Data(Bytes(513)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(24)]
    [InlineData(99)]
    [InlineData(255)]
    public void Record_OfAnotherOuterType_IsRefused(byte type)
    {
        var peer = Start();

        peer.Refused(UnexpectedMessage, [type, 3, 3, 0, 1, 1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(24)]
    [InlineData(99)]
    [InlineData(255)]
    public void Record_OfAnotherInnerType_IsRefused(byte type)
    {
        var peer = Start();

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(type, [1]));
    }

    [Fact]
    public void EmptyRecords_UpToTheLimit_AreTakenAgainAfterData()
    {
        var peer = Start();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < TlsEnd.MostEmptyRecords; i++) Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Data([])).Status);
            Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Data([1])).Status);
        }
    }

    [Theory]
    [InlineData(Data, new byte[0])]
    [InlineData(Alert, new byte[] { 1, 90 })]
    public void RecordsWithoutContent_BeyondTheLimit_AreRefused(byte type, byte[] content)
    {
        var peer = Start();
        for (var i = 0; i < TlsEnd.MostEmptyRecords; i++) Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Seal(type, content)).Status);

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(type, content));
    }

    [Fact]
    public void KeyUpdates_BeyondTheLimit_AreRefused()
    {
        var peer = Start();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < TlsEnd.MostKeyUpdates; i++) Assert.Equal(TlsStatus.Open, peer.End.Receive(KeyUpdate(peer)).Status);
            if (round == 0) peer.End.Receive(peer.Sends.Data([1]));
        }

        peer.Refused(UnexpectedMessage, KeyUpdate(peer));
    }

    [Theory]
    [InlineData(new byte[] { 24, 0, 0, 1, 2 }, IllegalParameter)]
    [InlineData(new byte[] { 24, 0, 0, 1, 255 }, IllegalParameter)]
    [InlineData(new byte[] { 24, 0, 0, 0 }, DecodeError)]
    [InlineData(new byte[] { 24, 0, 0, 2, 0, 0 }, DecodeError)]
    [InlineData(new byte[] { 24, 1, 0, 1, 0 }, DecodeError)]
    [InlineData(new byte[] { 24, 0, 1, 1, 0 }, DecodeError)]
    [InlineData(new byte[] { 24, 0, 0, 1, 0, 24, 0, 0, 1, 0 }, UnexpectedMessage)]
    [InlineData(new byte[] { 24, 0, 0, 1, 0, 0 }, UnexpectedMessage)]
    [InlineData(new byte[] { 1, 0, 0, 0 }, UnexpectedMessage)]
    [InlineData(new byte[] { 4, 0, 0, 0 }, UnexpectedMessage)]
    [InlineData(new byte[] { 11, 0, 0, 0 }, UnexpectedMessage)]
    [InlineData(new byte[] { 20, 0, 0, 0 }, UnexpectedMessage)]
    [InlineData(new byte[0], UnexpectedMessage)]
    public void HandshakeMessage_ThatIsNoKeyUpdate_IsRefused(byte[] message, byte alert)
    {
        var peer = Start();

        peer.Refused(alert, peer.Sends.Seal(Handshake, message));
    }

    [Theory]
    [InlineData(Data)]
    [InlineData(Alert)]
    public void Record_WithinASplitKeyUpdate_IsRefused(byte type)
    {
        var peer = Start();
        Assert.Equal(TlsStatus.Open, peer.End.Receive(peer.Sends.Seal(Handshake, [24, 0])).Status);

        peer.Refused(UnexpectedMessage, peer.Sends.Seal(type, [1, 0]));
    }

    [Fact]
    public void OldKey_AfterAKeyUpdate_IsRefused()
    {
        var peer = Start();
        var records = Join(peer.Sends.Seal(Handshake, [24, 0, 0, 1, 0]), peer.Sends.Data([1]));

        peer.Refused(BadRecordMac, records);
    }

    [Theory]
    [InlineData(new byte[] { 2 }, DecodeError)]
    [InlineData(new byte[] { 2, 10, 0 }, DecodeError)]
    [InlineData(new byte[] { 1, 0, 1, 0 }, DecodeError)]
    [InlineData(new byte[0], UnexpectedMessage)]
    public void Alert_OfAnotherLength_IsRefused(byte[] alert, byte answer)
    {
        var peer = Start();

        peer.Refused(answer, peer.Sends.Seal(Alert, alert));
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 10)]
    [InlineData(2, 20)]
    [InlineData(1, 255)]
    public void Alert_OfThePeer_EndsTheConnectionWithoutAnAnswer(byte level, byte description)
    {
        var peer = Start();

        var step = peer.End.Receive(Join(peer.Sends.Data([1]), peer.Sends.Seal(Alert, [level, description]), peer.Sends.Data([2])));

        Assert.Equal((TlsStatus.Failed, true, 1), (step.Status, step.ToPeer.IsEmpty, step.Plain.Length));
        Assert.Contains($"alert {description}", peer.End.FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Failure_AfterOurCloseNotify_SendsNoAlert()
    {
        var peer = Start();
        peer.End.Close();

        var step = peer.End.Receive([99, 3, 3, 0, 0]);

        Assert.Equal((TlsStatus.Failed, true), (step.Status, step.ToPeer.IsEmpty));
    }

    [Fact]
    public void Failure_ReturnsTheSecretsAtOnce()
    {
        var peer = Start();

        peer.End.Receive([99, 3, 3, 0, 0]);

        Assert.Equal(0, Slab.InUse);
        Assert.True(Slab.IsZero());
        Assert.True(peer.End.HasOwnRecords);
    }

    private static byte[] KeyUpdate(Peer peer)
    {
        var record = peer.Sends.Seal(Handshake, [24, 0, 0, 1, 1]);
        peer.Sends.Update();
        return record;
    }
}
