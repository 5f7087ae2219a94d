using System.Buffers;
using System.Text;
using StickyWs.Detection;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.Tests.Detection;

public sealed class SnifferTests
{
    public static TheoryData<string> All => [.. HeadCorpus.All.Select(head => head.Name)];

    public static TheoryData<string> Good => [.. HeadCorpus.Good.Select(head => head.Name)];

    [Fact]
    public void Corpus_IsNamedUniquelyAndLarge()
    {
        Assert.Equal(HeadCorpus.All.Count(), HeadCorpus.All.Select(head => head.Name).Distinct().Count());
        Assert.True(HeadCorpus.Good.Count >= 20 && HeadCorpus.Bad.Count >= 40);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sniff_AllAtOnce_IsTheVerdict(string name)
    {
        var head = HeadCorpus.Named(name);

        Assert.Equal(head.Verdict, Sniff(new ReadOnlySequence<byte>(head.Bytes), out _));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sniff_EveryPrefix_NeedsMoreUntilTheVerdictThatStays(string name)
    {
        var head = HeadCorpus.Named(name);
        var isDecided = false;
        for (var length = 0; length <= head.Bytes.Length; length++)
        {
            var verdict = Sniff(new ReadOnlySequence<byte>(head.Bytes, 0, length), out var parsed);
            isDecided |= verdict != Verdict.NeedMore;
            Assert.True(verdict == (isDecided ? head.Verdict : Verdict.NeedMore), $"{verdict} after {length} of {head.Bytes.Length} bytes");
            Assert.True(verdict == Verdict.WebSocket ? parsed?.Length == length : verdict != Verdict.NeedMore || parsed is null);
        }

        Assert.True(isDecided || head.Verdict == Verdict.NeedMore);
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void Sniff_EveryShorterPartOfAHandshake_NeedsMore(string name)
    {
        var bytes = HeadCorpus.Named(name).Bytes;

        for (var length = 0; length < bytes.Length; length++)
            Assert.True(Sniff(new ReadOnlySequence<byte>(bytes, 0, length), out var head) == Verdict.NeedMore && head is null,
                $"{length} of {bytes.Length} bytes");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sniff_TwoReadsSplitAnywhere_IsTheVerdict(string name)
    {
        var head = HeadCorpus.Named(name);
        for (var split = 0; split <= head.Bytes.Length; split++)
        {
            var sniffer = new Sniffer(HeadLimits.Default);
            var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(head.Bytes, 0, split), out _);
            if (verdict == Verdict.NeedMore) verdict = sniffer.Sniff(new ReadOnlySequence<byte>(head.Bytes), out _);
            Assert.True(verdict == head.Verdict, $"{verdict} when split at {split} of {head.Bytes.Length}");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sniff_OneByteAtATime_IsTheVerdictAndTheSameHead(string name)
    {
        var head = HeadCorpus.Named(name);
        var sniffer = new Sniffer(HeadLimits.Default);
        var verdict = Verdict.NeedMore;
        RequestHead? parsed = null;
        for (var length = 1; length <= head.Bytes.Length && verdict == Verdict.NeedMore; length++)
            verdict = sniffer.Sniff(new ReadOnlySequence<byte>(head.Bytes, 0, length), out parsed);

        Assert.Equal(head.Verdict, verdict);
        Assert.Equal(verdict == Verdict.WebSocket ? head.Bytes.Length : null, verdict == Verdict.WebSocket ? parsed?.Length : null);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sniff_PiecesCutAnywhere_IsTheVerdict(string name)
    {
        var head = HeadCorpus.Named(name);
        for (var cut = 0; cut <= head.Bytes.Length; cut++)
        {
            var verdict = Sniff(Pieces.Of(head.Bytes, cut), out _);
            Assert.True(verdict == head.Verdict, $"{verdict} when cut at {cut} of {head.Bytes.Length}");
        }

        Assert.Equal(head.Verdict, Sniff(Pieces.Of(head.Bytes, Enumerable.Range(0, head.Bytes.Length)), out _));
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void Sniff_BytesBehindAHandshake_AreNoPartOfIt(string name)
    {
        var bytes = HeadCorpus.Named(name).Bytes;
        string[] behind = ["\u0081\u0085mask!", "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n", "\n", "\0"];

        foreach (var extra in behind)
        {
            byte[] all = [.. bytes, .. Encoding.Latin1.GetBytes(extra)];
            Assert.Equal(Verdict.WebSocket, Sniff(new ReadOnlySequence<byte>(all), out var head));
            Assert.Equal(bytes.Length, head!.Length);
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Sniff_HeadAtAndBeyondTheCap_IsTakenAndLeft(int beyond, bool isTaken)
    {
        var limits = new HeadLimits(1024, 512, 100);
        var bare = HttpHead.Handshake(headers: "X: \r\n");
        var bytes = Encoding.Latin1.GetBytes(HttpHead.Handshake(headers: $"X: {new string('x', limits.MaxHeadBytes - bare.Length + beyond)}\r\n"));

        foreach (var split in Enumerable.Range(0, bytes.Length + 1))
        {
            var sniffer = new Sniffer(limits);
            var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(bytes, 0, split), out _);
            if (verdict == Verdict.NeedMore) verdict = sniffer.Sniff(new ReadOnlySequence<byte>(bytes), out _);
            Assert.Equal(isTaken ? Verdict.WebSocket : Verdict.Doubtful, verdict);
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Sniff_RequestLineAtAndBeyondTheCap_IsTakenAndLeft(int beyond, bool isTaken)
    {
        var limits = new HeadLimits(4096, 512, 100);
        var bytes = Encoding.Latin1.GetBytes(HttpHead.Handshake("/" + new string('a', limits.MaxRequestLineBytes - "GET / HTTP/1.1\r\n".Length + beyond)));

        foreach (var split in Enumerable.Range(0, bytes.Length + 1))
        {
            var sniffer = new Sniffer(limits);
            var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(bytes, 0, split), out _);
            if (verdict == Verdict.NeedMore) verdict = sniffer.Sniff(new ReadOnlySequence<byte>(bytes), out _);
            Assert.Equal(isTaken ? Verdict.WebSocket : Verdict.Doubtful, verdict);
        }
    }

    [Fact]
    public void Sniff_EndlessLine_IsLeftAtTheCap()
    {
        var limits = new HeadLimits(4096, 512, 100);
        var bytes = Encoding.Latin1.GetBytes("GET /" + new string('a', 5000));

        Assert.Equal(Verdict.NeedMore, new Sniffer(limits).Sniff(new ReadOnlySequence<byte>(bytes, 0, 511), out _));
        Assert.Equal(Verdict.Doubtful, new Sniffer(limits).Sniff(new ReadOnlySequence<byte>(bytes, 0, 512), out _));
    }

    private static Verdict Sniff(in ReadOnlySequence<byte> bytes, out RequestHead? head) => new Sniffer(HeadLimits.Default).Sniff(bytes, out head);
}
