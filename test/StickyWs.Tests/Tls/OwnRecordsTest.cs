using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>An end with own records whose secrets the test knows, and a peer that may send anything.</summary>
public abstract class OwnRecordsTest : TlsTest
{
    private protected const byte Alert = 21;
    private protected const byte Handshake = 22;
    private protected const byte Data = 23;

    internal sealed record Peer(TlsEnd End, RecordForge Sends, RecordForge Reads)
    {
        /// <summary>Delivers these bytes and expects that they fail with this alert.</summary>
        public string Refused(byte alert, ReadOnlySpan<byte> bytes)
        {
            var step = End.Receive(bytes);
            Assert.Equal(TlsStatus.Failed, step.Status);
            var sent = Assert.Single(Reads.Open(step.ToPeer));
            Assert.Equal(Alert, sent.Type);
            Assert.Equal([2, alert], sent.Content);
            Assert.Equal((TlsStatus.Failed, true, true), (End.Status, End.Receive(bytes).ToPeer.IsEmpty, End.Close().IsEmpty));
            Assert.Throws<InvalidOperationException>(() => End.Seal([1]));
            return End.FailureReason!;
        }
    }

    internal Peer Start(RecordSuite suite = RecordSuite.Aes128Gcm, uint recordsPerKey = TlsServerSettings.DefaultRecordsPerKey, int fragment = 16384)
    {
        var length = suite == RecordSuite.Aes256Gcm ? 48 : 32;
        var (read, write) = (Bytes(length, 11), Bytes(length, 12));
        var end = Keep(TlsEnd.Resume(Slab, suite, read, write, recordsPerKey, fragment));
        return new Peer(end, new RecordForge(suite, read), new RecordForge(suite, write));
    }

    internal static OpenedRecord Of(byte type, byte[] content) => new(type, content);

    /// <summary>One after the other; a collection expression seals in this order.</summary>
    internal static byte[] Join(params byte[][] records) => [.. records.SelectMany(record => record)];
}
