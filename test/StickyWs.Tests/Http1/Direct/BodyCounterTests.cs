using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1.Direct;

public sealed class BodyCounterTests
{
    private const int HeadLength = 10;
    private static readonly HeadLimits Limits = new(HeadLength + 64, 64, 3);

    public static TheoryData<string> Whole => new(
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "A\r\n0123456789\r\n00000001\r\n\n\r\n0\r\n\r\n",
        "5;a=b;c=\"d e\"\r\nhello\r\n000;x\r\n\r\n",
        "1\r\na\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n");

    [Theory]
    [MemberData(nameof(Whole))]
    public void Take_ChunkedBody_EndsAtItsEndHoweverItIsSplit(string body)
    {
        var bytes = Encoding.Latin1.GetBytes(body + "GET / HTTP/1.1\r\n");
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var step = 1; step <= bytes.Length; step += 7)
            {
                var counter = Request(BodyFraming.Chunked);
                var taken = counter.Take(bytes.AsSpan(0, first), out var fault);
                while (!counter.IsDone)
                {
                    Assert.Equal(BodyFault.None, fault);
                    taken += counter.Take(bytes.AsSpan(taken, Math.Min(step, bytes.Length - taken)), out fault);
                }

                Assert.Equal((body.Length, BodyFault.None), (taken, fault));
                Assert.Equal(0, counter.Take(bytes.AsSpan(taken), out _));
            }
        }
    }

    [Theory]
    [InlineData("\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData(";x\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData("x\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData("-1\r\na", nameof(BodyFault.ChunkSize))]
    [InlineData("+1\r\na", nameof(BodyFault.ChunkSize))]
    [InlineData("0x1\r\na", nameof(BodyFault.ChunkSize))]
    [InlineData("1 \r\na", nameof(BodyFault.ChunkSize))]
    [InlineData(" 1\r\na", nameof(BodyFault.ChunkSize))]
    [InlineData("1\na\n0\n\n", nameof(BodyFault.ChunkSize))]
    [InlineData("80000000\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData("000000001\r\na", nameof(BodyFault.ChunkSize))]
    [InlineData("ffffffffffffffff\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData("1\ra\r\n", nameof(BodyFault.ChunkEnd))]
    [InlineData("1\r\r\na", nameof(BodyFault.ChunkEnd))]
    [InlineData("1\r\nab\r\n", nameof(BodyFault.ChunkEnd))]
    [InlineData("1\r\na\n0\r\n\r\n", nameof(BodyFault.ChunkEnd))]
    [InlineData("1\r\na\r0\r\n\r\n", nameof(BodyFault.ChunkEnd))]
    [InlineData("1;a\nb\r\na", nameof(BodyFault.ChunkExtension))]
    [InlineData("1;a\0\r\na", nameof(BodyFault.ChunkExtension))]
    [InlineData("1;\u00E9\r\na", nameof(BodyFault.ChunkExtension))]
    [InlineData("1;a\rb\r\na", nameof(BodyFault.ChunkEnd))]
    [InlineData("0\r\n\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\n\rX", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nGET / HTTP/1.1\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\n folded\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\n: a\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX : a\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX: a\nY: b\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX: a\rb\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX: \0\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX: \u00E9\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\ncontent-length: 5\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nTransfer-Encoding: chunked\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nHost: b\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nConnection: close\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nCookie: a=b\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nAuthorization: x\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX-Forwarded-For: 9.9.9.9\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nX_Forwarded-Anything-That-Is-Longer-Than-32-Bytes: 1\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nStickyWs-Pin: x\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nUpgrade-Insecure-Requests: 1\r\n", nameof(BodyFault.Trailer))]
    [InlineData("0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", nameof(BodyFault.TrailersTooLong))]
    [InlineData("0\r\nA: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n", nameof(BodyFault.TrailersTooLong))]
    public void Take_MalformedChunks_FaultHoweverTheyAreSplit(string body, string expected)
    {
        var bytes = Encoding.Latin1.GetBytes(body);
        var whole = Request(BodyFraming.Chunked);
        var taken = whole.Take(bytes, out var fault);
        var split = Request(BodyFraming.Chunked);
        var count = 0;
        while (count < bytes.Length && split.Take(bytes.AsSpan(count, 1), out _) == 1) count++;
        split.Take(bytes, out var splitFault);

        Assert.Equal((expected, expected), (fault.ToString(), splitFault.ToString()));
        Assert.Equal(taken, count);
        Assert.False(whole.IsDone);
        Assert.Equal(0, whole.Take("0\r\n\r\n"u8, out fault));
        Assert.Equal(expected, fault.ToString());
    }

    [Fact]
    public void Take_Extension_IsCapped()
    {
        var fits = Request(BodyFraming.Chunked);
        var tooLong = Request(BodyFraming.Chunked);

        fits.Take(Encoding.ASCII.GetBytes("0;" + new string('x', 252) + "\r\n\r\n"), out _);
        tooLong.Take(Encoding.ASCII.GetBytes("0;" + new string('x', 253)), out var fault);

        Assert.True(fits.IsDone);
        Assert.Equal(BodyFault.ChunkExtension, fault);
    }

    [Fact]
    public void Take_Length_IsCounted()
    {
        var counter = Request(BodyFraming.Length, 7);

        Assert.Equal(5, counter.Take("hello"u8, out _));
        Assert.False(counter.IsDone);
        Assert.Equal(2, counter.Take("\r\nGET"u8, out var fault));
        Assert.Equal((true, BodyFault.None), (counter.IsDone, fault));
    }

    [Theory]
    [InlineData(nameof(BodyFraming.None))]
    [InlineData(nameof(BodyFraming.Length))]
    public void Take_Nothing_IsDoneAtOnce(string framing)
    {
        var counter = Request(Enum.Parse<BodyFraming>(framing));

        Assert.True(counter.IsDone);
        Assert.Equal(0, counter.Take("x"u8, out _));
    }

    [Fact]
    public void Take_UntilClose_TakesAllAndIsNeverDone()
    {
        var counter = BodyCounter.Of(new DirectAnswer { Framing = BodyFraming.UntilClose }, 100);

        Assert.Equal(5, counter.Take("hello"u8, out var fault));
        Assert.Equal((false, true, BodyFault.None), (counter.IsDone, counter.IsOpen, fault));
    }

    [Theory]
    [InlineData("80000000\r\n", nameof(BodyFault.None))]
    [InlineData("7ffffffffffffff\r\n", nameof(BodyFault.None))]
    [InlineData("7fffffffffffffff\r\n", nameof(BodyFault.ChunkSize))]
    [InlineData("0\r\nX: \u00E9\r\n\r\n", nameof(BodyFault.None))]
    [InlineData("0\r\nSet-Cookie: a=b\r\n\r\n", nameof(BodyFault.Trailer))]
    public void Take_AnswersChunks_MayBeLarger(string body, string expected)
    {
        var counter = BodyCounter.Of(new DirectAnswer { Framing = BodyFraming.Chunked }, 100);

        counter.Take(Encoding.Latin1.GetBytes(body), out var fault);

        Assert.Equal(expected, fault.ToString());
    }

    private static BodyCounter Request(BodyFraming framing, long length = 0)
        => BodyCounter.Of(new DirectRequest { Framing = framing, ContentLength = length, HeadLength = HeadLength, HeaderCount = 1 }, Limits);
}
