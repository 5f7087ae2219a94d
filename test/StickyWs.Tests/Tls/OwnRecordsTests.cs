using System.Runtime.CompilerServices;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>The own record layer and an honest peer.</summary>
public sealed unsafe class OwnRecordsTests : OwnRecordsTest
{
    // RFC 8446, section 4.6.3: type 24, length 1.
    private static readonly byte[] Update = [24, 0, 0, 1, 0];
    private static readonly byte[] UpdateAndAsk = [24, 0, 0, 1, 1];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Records_OfEachSuite_AreThoseOfAnotherImplementation(byte suite)
    {
        var peer = Start((RecordSuite)suite);

        foreach (var size in (int[])[1, 100, 1023, 1024, 1025, 16384])
        {
            Assert.Equal(Bytes(size), peer.End.Receive(peer.Sends.Data(Bytes(size))).Plain.ToArray());
            Assert.Equal([Of(Data, Bytes(size))], peer.Reads.Open(peer.End.Seal(Bytes(size))));
        }
    }

    [Fact]
    public void Records_SplitAnywhere_AreTheSame()
    {
        for (var cut = 0; cut <= 3 * 30; cut++)
        {
            var peer = Start();
            var records = Join(peer.Sends.Data(Bytes(8, 1)), peer.Sends.Data(Bytes(8, 2)), peer.Sends.Data(Bytes(8, 3)));
            Assert.Equal(90, records.Length);

            var first = peer.End.Receive(records.AsSpan(0, cut)).Plain.ToArray();
            byte[] plain = [.. first, .. peer.End.Receive(records.AsSpan(cut)).Plain];

            Assert.Equal([.. Bytes(8, 1), .. Bytes(8, 2), .. Bytes(8, 3)], plain);
            Assert.False(peer.End.HoldsPart);
        }
    }

    [Fact]
    public void Record_WithPadding_IsOpened()
    {
        var peer = Start();

        var step = peer.End.Receive(Join(peer.Sends.Seal(Data, Bytes(100), padding: 1000), peer.Sends.Seal(Data, Bytes(16), padding: 16368)));

        Assert.Equal([.. Bytes(100), .. Bytes(16)], step.Plain.ToArray());
    }

    [Fact]
    public void Seal_MoreThanARecordHolds_SplitsIt()
    {
        var peer = Start();

        Assert.Equal([16384, 16384, 1], peer.Reads.Open(peer.End.Seal(Bytes(32769))).Select(record => record.Content.Length));
        Assert.True(peer.End.Seal([]).IsEmpty);
    }

    [Fact]
    public void Seal_WithAnAgreedFragment_ObeysIt()
    {
        var peer = Start(fragment: 512);

        Assert.Equal([512, 512, 1], peer.Reads.Open(peer.End.Seal(Bytes(1025))).Select(record => record.Content.Length));
    }

    [Fact]
    public void Seal_OfWhatAnotherEndReceived_NeedsNoCopy()
    {
        var (from, to) = (Start(), Start(RecordSuite.Aes256Gcm));

        var records = to.End.Seal(from.End.Receive(from.Sends.Data(Bytes(50_000 / 4))).Plain);

        Assert.Equal([Of(Data, Bytes(50_000 / 4))], to.Reads.Open(records));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void KeyUpdate_OfThePeer_ChangesTheReadKey(byte suite)
    {
        var peer = Start((RecordSuite)suite);
        var first = Join(peer.Sends.Data([1]), peer.Sends.Seal(Handshake, Update));
        peer.Sends.Update();

        var step = peer.End.Receive(Join(first, peer.Sends.Data([2]), peer.Sends.Data([3])));

        Assert.Equal([1, 2, 3], step.Plain.ToArray());
        Assert.True(step.ToPeer.IsEmpty);
        Assert.Equal([Of(Data, [4])], peer.Reads.Open(peer.End.Seal([4])));
    }

    [Fact]
    public void KeyUpdate_ThatAsksForOne_IsAnsweredOnceBeforeTheNextData()
    {
        var peer = Start();
        foreach (var i in (byte[])[1, 2, 3])
        {
            var update = peer.Sends.Seal(Handshake, UpdateAndAsk);
            peer.Sends.Update();
            var step = peer.End.Receive(Join(update, peer.Sends.Data([i])));
            Assert.Equal([i], step.Plain.ToArray());
            Assert.True(step.ToPeer.IsEmpty);
        }

        var records = peer.End.Seal([9]).ToArray();

        Assert.Equal([Of(Handshake, Update)], peer.Reads.Open(records.AsSpan(0, 27)));
        peer.Reads.Update();
        Assert.Equal([Of(Data, [9])], peer.Reads.Open(records.AsSpan(27)));
        Assert.Equal([Of(Data, [10])], peer.Reads.Open(peer.End.Seal([10])));
    }

    [Fact]
    public void KeyUpdate_SplitOverRecords_IsTaken()
    {
        var peer = Start();
        var records = Join([.. Update.Select(each => peer.Sends.Seal(Handshake, [each]))]);
        peer.Sends.Update();

        Assert.Equal([7], peer.End.Receive(Join(records, peer.Sends.Data([7]))).Plain.ToArray());
    }

    [Fact]
    public void KeyUpdate_OfOurs_ComesAfterTheLimit()
    {
        var peer = Start(recordsPerKey: 3);

        var records = peer.End.Seal(Bytes(16384 * 5)).ToArray();

        const int full = 16384 + 22;
        Assert.Equal(3, peer.Reads.Open(records.AsSpan(0, 3 * full)).Count);
        Assert.Equal([Of(Handshake, Update)], peer.Reads.Open(records.AsSpan(3 * full, 27)));
        peer.Reads.Update();
        Assert.Equal(2, peer.Reads.Open(records.AsSpan((3 * full) + 27)).Count);
        Assert.Equal([Of(Data, [1])], peer.Reads.Open(peer.End.Seal([1])));
        var updated = peer.End.Seal([2]).ToArray();
        Assert.Equal([Of(Handshake, Update)], peer.Reads.Open(updated.AsSpan(0, 27)));
    }

    [Fact]
    public void Numbers_ThatRunOut_EndTheConnection()
    {
        var peer = Start();
        peer.End.Keys->Write.Sequence = ulong.MaxValue;

        Assert.True(peer.End.Seal([1]).IsEmpty);

        Assert.Equal(TlsStatus.Failed, peer.End.Status);
        Assert.Equal("No record number is left.", peer.End.FailureReason);
    }

    [Fact]
    public void Numbers_OfThePeerThatRunOut_EndTheConnection()
    {
        var peer = Start();
        peer.End.Keys->Read.Sequence = ulong.MaxValue;

        peer.Refused(80, peer.Sends.Data([1]));
    }

    [Fact]
    public void UserCanceled_IsIgnored()
    {
        var peer = Start();

        var step = peer.End.Receive(Join(peer.Sends.Seal(Alert, [1, 90]), peer.Sends.Data([1])));

        Assert.Equal((TlsStatus.Open, 1), (step.Status, step.Plain.Length));
    }

    [Fact]
    public void Data_BehindCloseNotify_IsIgnored()
    {
        var peer = Start();

        var step = peer.End.Receive(Join(peer.Sends.Data([1]), peer.Sends.Seal(Alert, [1, 0]), peer.Sends.Data([2]), [1, 2, 3]));

        Assert.Equal((TlsStatus.PeerClosed, true), (step.Status, step.ToPeer.IsEmpty));
        Assert.Equal([1], step.Plain.ToArray());
        Assert.False(peer.End.HoldsPart);
        Assert.Equal([Of(Data, [3])], peer.Reads.Open(peer.End.Seal([3])));
        Assert.Equal([Of(Alert, [1, 0])], peer.Reads.Open(peer.End.Close()));
    }

    [Fact]
    public void Dispose_ZeroesTheSecrets()
    {
        var peer = Start();
        var keys = new ReadOnlySpan<byte>(peer.End.Keys, sizeof(ConnectionKeys));
        Assert.True(keys.ContainsAnyExcept((byte)0));

        peer.End.Dispose();

        Assert.False(keys.ContainsAnyExcept((byte)0));
    }

    // VmFlags of proc_pid_smaps(5): "dd" is MADV_DONTDUMP.
    [Fact]
    public void Secrets_StandOutsideOfCoreDumps()
    {
        var address = (ulong)Start().End.Keys;
        var isFound = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            if (line.StartsWith("VmFlags:", StringComparison.Ordinal) && isFound)
            {
                Assert.Contains(" dd", line, StringComparison.Ordinal);
                return;
            }

            if (line.Split(' ')[0].Split('-') is not [var from, var to]) continue;
            isFound = Convert.ToUInt64(from, 16) <= address && address < Convert.ToUInt64(to, 16);
        }

        Assert.Fail("The slab is not mapped.");
    }

    [Fact]
    public void Memory_OfAnIdleEnd_IsAtMost400Bytes()
    {
        GC.KeepAlive(RuntimeHelpers.GetUninitializedObject(typeof(TlsEnd))); // The runtime's own first time.
        var before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(RuntimeHelpers.GetUninitializedObject(typeof(TlsEnd)));
        var managed = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(managed + sizeof(ConnectionKeys), 200, 340);
    }

    [Fact]
    public void Records_InSteadyState_AllocateNothing()
    {
        var peer = Start();
        byte[][] records = [.. Enumerable.Range(0, 220).Select(_ => peer.Sends.Data(Bytes(1000)))];
        var plain = Bytes(1000);
        var before = 0L;
        for (var i = 0; i < records.Length; i++)
        {
            if (i == 20) before = GC.GetAllocatedBytesForCurrentThread();
            _ = peer.End.Receive(records[i]);
            _ = peer.End.Receive([]);
            _ = peer.End.Seal(plain);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
