using System.Buffers;
using System.Globalization;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Fuzz;

/// <summary>
/// The decoder of bodies: no exception but <see cref="IOException"/>, the same body however the bytes are split, nothing taken from behind
/// the end, and a body that it finds whole is the one that the runtime's own client reads.
/// </summary>
internal sealed class BodyDecoderTarget : IFuzzTarget
{
    private readonly HttpClientOracle _client = new();

    public IReadOnlyList<byte[]> Corpus { get; } = Seeds.All(
        "5\r\nhello\r\n0\r\n\r\n",
        "5;a=b\r\nhello\r\n06\r\n world\r\n0\r\n\r\nbehind",
        "A\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n",
        "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n000;ext=\"q\"\r\n\r\n",
        "ffffffffffffffff\r\n",
        "5\nhello\n0\n\n",
        "just bytes");

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        "\r", "\n", "\r\n", "\r\n\r\n", "0\r\n", "0\r\n\r\n", "1\r\n", ";", ";x", " ", "\t", "\0", "+", "-", "0x", "7fffffffffffffff", "10", "00000000", "X: y",
        new string('0', 300), new string('x', 300));

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var framing = random.Next(6) switch
        {
            0 => BodyFraming.Length,
            1 => BodyFraming.UntilClose,
            _ => BodyFraming.Chunked,
        };
        var length = framing == BodyFraming.Length ? random.Next(1, 40) : 0;
        var whole = Decode(framing, length, input, [input.Length]);
        var cuts = Splitter.Cuts(input.Length, random);
        var split = Decode(framing, length, input, cuts);
        Broken.If(!whole.Same(split), $"{whole} in one piece, {split} in pieces that end at {string.Join(", ", cuts)}.");
        Broken.If(whole.Body.Length > input.Length, "The body is longer than what it came in.");
        if (!whole.IsComplete) return false;
        var longer = Decode(framing, length, [.. input, .. "0\r\n\r\nmore"u8], [input.Length + 9]);
        Broken.If(!whole.Same(longer), $"{whole}, but {longer} when bytes follow.");
        await AskClientAsync(framing, length, input, whole.Body);
        return true;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Decoded Decode(BodyFraming framing, int length, byte[] input, int[] cuts)
    {
        var decoder = new BodyDecoder(framing, length);
        var output = new ArrayBufferWriter<byte>();
        var start = 0;
        try
        {
            foreach (var cut in cuts)
            {
                decoder.Decode(input.AsSpan(start, cut - start), output);
                start = cut;
            }

            return new Decoded(output.WrittenSpan.ToArray(), decoder.IsComplete, IsRefused: false);
        }
        catch (IOException)
        {
            return new Decoded(output.WrittenSpan.ToArray(), IsComplete: false, IsRefused: true);
        }
    }

    private async Task AskClientAsync(BodyFraming framing, int length, byte[] input, byte[] body)
    {
        var header = framing == BodyFraming.Chunked ? "Transfer-Encoding: chunked" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {length}");
        var theirs = await _client.ReadBodyAsync([.. Seeds.Head("HTTP/1.1 200 OK", header), .. input]);
        Broken.If(!theirs.AsSpan().SequenceEqual(body),
            $"The body is \"{Encoding.Latin1.GetString(body)}\", to the runtime's client \"{Encoding.Latin1.GetString(theirs)}\".");
    }

    private sealed record Decoded(byte[] Body, bool IsComplete, bool IsRefused)
    {
        public bool Same(Decoded other) => Body.AsSpan().SequenceEqual(other.Body) && (IsComplete, IsRefused) == (other.IsComplete, other.IsRefused);
    }
}
