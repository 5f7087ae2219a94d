using System.Buffers;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Fuzz;

/// <summary>
/// The answers of the direct lane: the same however the bytes are split, and the runtime's own client reads the same status and body from them, and uses
/// the connection again where it is to be kept. The head for the client is one that is read in the same way.
/// </summary>
internal sealed class DirectAnswersTarget : IFuzzTarget
{
    private const int MostBytes = 32 * 1024;

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Seeds.Raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: a\r\n\r\nhello"),
        Seeds.Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n06;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"),
        Seeds.Raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
        Seeds.Raw("HTTP/1.1 200\r\nConnection: close\r\n\r\nuntil the end"),
        Seeds.Raw("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"),
        Seeds.Raw("HTTP/1.0 404 Not Found\r\n\r\ngone"),
        Seeds.Head("HTTP/1.1 204 No Content", "Content-Length: 0"),
        Seeds.Head("HTTP/1.1 304 Not Modified", "Content-Length: 50", "ETag: \"a\"", "Keep-Alive: timeout=5, max=100", "Connection: Keep-Alive"),
        Seeds.Raw("HTTP/1.1 205 Reset\r\nContent-Length: 3\r\n\r\nabc"),
        Seeds.Head("HTTP/1.1 101 Switching Protocols", "Upgrade: x", "Connection: Upgrade"),
        Seeds.Raw("HTTP/1.1 503 Caf\xE9\r\nRetry-After: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        Seeds.Raw("HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nStickyWs-Backend: x\r\nUpgrade: h2\r\nContent-Length: 1\r\n\r\na"),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        "\r", "\n", "\r\n", "\r\n\r\n", "\t", " ", "\0", "\x0B", "\x7F", "\xFF", ":", ",", ";", "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/1.", "999", "099", "101",
        "100", "304",
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 100\r\n\r\n", " folded", "X: y", "X :y", ": y", "Content-Length: 1", "Content-Length: -1", "Content-Length: +1",
        "Content-Length: 007", "Content-Length: 99999999999999999999", "Content-Length: 1, 1", "Content-Length: ", "Content_Length: 3",
        "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "Transfer-Encoding: Chunked",
        "Transfer-Encoding: chunked;a=b", "Connection: close", "Connection: keep-alive", "Connection: close, keep-alive", "Connection: \"close\"",
        "Connection: close x", "Connection: , close", "Keep-Alive: timeout=0", "Keep-Alive: timeout=0, max=5", "Keep-Alive: timeout=-1",
        "Keep-Alive: timeout = 0",
        "Keep-Alive: timeout=\"0\"", "Keep-Alive: timeout=1, timeout=0", "Proxy-Connection: close", "0\r\n\r\n", "0\r\nX-A: b\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n", "1\r\na\r\n", "1;\r\na\r\n", "1 ;x\r\na\r\n", "7fffffffffffffff\r\n", "ffffffffffffffff\r\n", "1;a\n\r\na\r\n",
        "Set-Cookie: a=b", "Content-Type: text/plain", "Content-Type: ;;", "Expires: 0", "Upgrade: websocket", "Trailer: X-A", new string('0', 300) + "\r\n");

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var isHead = random.Next(6) == 0;
        var cuts = Splitter.Cuts(input.Length, random);
        var whole = Reading.Of(input, [input.Length], isHead);
        var split = Reading.Of(input, cuts, isHead);
        Broken.If(!whole.Same(split), $"{whole}, but {split} in pieces that end at {string.Join(", ", cuts)}.");
        if (whole.Verdict != AnswerVerdict.Final || whole.Fault != BodyFault.None) return false;
        var isKept = whole.IsWhole && whole.Answer.KeepAlive;
        var seen = await AnswerPeer.ReadAsync(input.AsMemory(0, whole.End), isHead, !isKept);
        var isSame = seen.Status == whole.Answer.Status
            && seen.Body.AsSpan().SequenceEqual(whole.Body)
            && (seen.Refusal is null || !whole.IsWhole)
            && (!isKept || seen.WasKept);
        Broken.If(!isSame, $"{whole}, but the client read {seen}.");
        return whole.IsWhole;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Reading
    {
        public AnswerVerdict Verdict { get; private set; }

        public DirectAnswer Answer { get; private set; }

        public BodyFault Fault { get; private set; }

        public bool IsWhole { get; private set; }

        public int End { get; private set; }

        public byte[] Body { get; private set; } = [];

        public static Reading Of(byte[] bytes, int[] cuts, bool isHead)
        {
            var reading = new Reading();
            do reading.ReadHead(bytes, cuts, isHead);
            while (reading.Verdict == AnswerVerdict.Informational);
            if (reading.Verdict == AnswerVerdict.Final) reading.ReadBody(bytes, cuts);
            return reading;
        }

        public bool Same(Reading other)
            => (Verdict, Fault, IsWhole, End, Answer.Status) == (other.Verdict, other.Fault, other.IsWhole, other.End, other.Answer.Status)
                && Body.AsSpan().SequenceEqual(other.Body);

        public override string ToString()
            => $"{Verdict} {Answer.Status} {Answer.Framing} {(Answer.KeepAlive ? "kept" : "closing")} \"{Encoding.Latin1.GetString(Body)}\""
                + $" {(IsWhole ? "whole" : Fault)} to {End}";

        private void ReadHead(byte[] bytes, int[] cuts, bool isHead)
        {
            var (start, searched) = (End, 0);
            Verdict = AnswerVerdict.Incomplete;
            foreach (var cut in cuts.Where(cut => cut > start))
            {
                Verdict = DirectAnswerParser.Parse(bytes.AsSpan(start, cut - start), MostBytes, ref searched, isHead, out var answer);
                Answer = answer;
                if (Verdict != AnswerVerdict.Incomplete) break;
            }

            if (Verdict is not (AnswerVerdict.Informational or AnswerVerdict.Final)) return;
            CheckHead(bytes.AsSpan(start, Answer.HeadLength), Answer, isHead);
            End = start + Answer.HeadLength;
        }

        private void ReadBody(byte[] bytes, int[] cuts)
        {
            var start = End;
            var counter = BodyCounter.Of(Answer, MostBytes);
            foreach (var cut in cuts.Where(cut => cut > start))
            {
                End += counter.Take(bytes.AsSpan(End, cut - End), out var fault);
                if ((Fault = fault) != BodyFault.None) return;
            }

            IsWhole = counter.IsDone || counter.IsOpen;
            var decoder = new BodyDecoder(Answer.Framing, Answer.ContentLength);
            var decoded = new ArrayBufferWriter<byte>();
            try
            {
                if (Answer.Framing != BodyFraming.None) decoder.Decode(bytes.AsSpan(start, End - start), decoded);
            }
            catch (IOException)
            {
                // The decoder has a lower cap for a line of trailers; the body is whole by then.
                Broken.If(!counter.IsDone, "The counter takes what the decoder refuses.");
            }

            Body = decoded.WrittenSpan.ToArray();
        }

        private static void CheckHead(ReadOnlySpan<byte> head, in DirectAnswer answer, bool isHead)
        {
            var output = new byte[head.Length + 64];
            Broken.If(!DirectAnswerWriter.TryWrite(output, head, answer, default, closes: false, out var length), "The head for the client does not fit.");
            var isTight = DirectAnswerWriter.TryWrite(output.AsSpan(0, length - 1), head, answer, default, closes: false, out _);
            Broken.If(isTight, "It fits where there is no room.");
            var written = output.AsSpan(0, length);
            // Names in any case; what is written anew has the usual one.
            var isSame = Encoding.Latin1.GetString(written).Equals(Encoding.Latin1.GetString(head), StringComparison.OrdinalIgnoreCase);
            Broken.If(answer.PassesAsIs && !isSame && answer.Framing != BodyFraming.UntilClose, "It does not pass as it is.");
            var searched = 0;
            var verdict = DirectAnswerParser.Parse(written, int.MaxValue, ref searched, isHead, out var again);
            var framing = answer.DropsBody && !isHead ? BodyFraming.Length : answer.Framing;
            var isRead = verdict == (answer.Status < 200 ? AnswerVerdict.Informational : AnswerVerdict.Final)
                && (again.HeadLength, again.Status, again.Framing) == (length, answer.Status, framing)
                && (again.ContentLength == answer.ContentLength || answer.DropsBody);
            Broken.If(!isRead, $"The client gets another answer: {Encoding.Latin1.GetString(written)}");
            var headers = again.Headers(written);
            while (headers.Read())
            {
                var isOfChunks = framing == BodyFraming.Chunked && FramingHeaders.IsOfChunks(headers.Name);
                var isClose = HeaderNames.Is(headers.Line, "Connection: close\r\n"u8);
                Broken.If(!isOfChunks && !isClose && (HeaderNames.IsHopByHop(headers.Name) || OwnHeaders.IsOne(headers.Name)),
                    $"The client gets {Encoding.Latin1.GetString(headers.Line)}");
            }
        }
    }
}
