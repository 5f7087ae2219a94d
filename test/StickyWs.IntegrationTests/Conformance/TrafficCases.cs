using static StickyWs.IntegrationTests.Conformance.ClientFrames;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>
/// Clients that keep the rules of RFC 6455 and clients that break them, by what they try. The categories are those in which conformance suites for
/// WebSocket endpoints sort their cases.
/// </summary>
internal static class TrafficCases
{
    public static IReadOnlyList<string> Categories { get; } =
        ["framing", "pings", "reserved bits", "opcodes", "fragments", "text", "closing", "sizes", "many fragments", "many messages"];

    /// <summary>The cases of a category, the same in each run.</summary>
    public static IReadOnlyList<TrafficCase> Of(string category)
    {
        var frames = new ClientFrames(category.Length);
        return category switch
        {
            "framing" => [.. Framing(frames)],
            "pings" => [.. Pings(frames)],
            "reserved bits" => [.. ReservedBits(frames)],
            "opcodes" => [.. Opcodes(frames)],
            "fragments" => [.. Fragments(frames)],
            "text" => [.. Texts(frames)],
            "closing" => [.. Closing(frames)],
            "sizes" => [.. Sizes(frames)],
            "many fragments" => [.. ManyFragments(frames)],
            _ => [.. ManyMessages(frames)],
        };
    }

    private static IEnumerable<TrafficCase> Framing(ClientFrames frames)
    {
        foreach (var length in new[] { 0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537 })
        {
            yield return Good($"{length} B of text", frames, frames.Frame(Text, Letters(length)));
            yield return Good($"{length} B of noise", frames, frames.Frame(Binary, frames.Noise(length)));
        }
    }

    private static IEnumerable<TrafficCase> Pings(ClientFrames frames)
    {
        yield return Good("empty", frames, frames.Frame(Ping, []));
        yield return Good("text", frames, frames.Frame(Ping, "are you there?"u8));
        yield return Good("noise", frames, frames.Frame(Ping, [0, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0, 0xFF]));
        yield return Good("the longest", frames, frames.Frame(Ping, frames.Noise(125)));
        yield return Bad("too long", frames, frames.Frame(Ping, frames.Noise(126)));
        yield return Good("pongs that nobody asked for", frames, frames.Frame(Pong, []), frames.Frame(Pong, "well"u8), frames.Frame(Ping, "asked"u8));
        yield return Good("ten in a row", frames, [.. Enumerable.Range(0, 10).Select(i => frames.Frame(Ping, [(byte)i]))]);
        yield return Good("ten thousand in a row", frames, [.. Enumerable.Range(0, 10_000).Select(i => frames.Frame(Ping, [(byte)i]))]);
        yield return Bad("in fragments", frames, frames.Frame(Ping, "half"u8, isLast: false), frames.Frame(Continuation, "way"u8));
    }

    private static IEnumerable<TrafficCase> ReservedBits(ClientFrames frames)
    {
        for (var bits = 1; bits < 8; bits++)
        {
            yield return Bad($"{bits} on text", frames, frames.TextOf("before"), frames.Frame(Text, "now"u8, reserved: bits), frames.Frame(Ping, []));
            yield return Bad($"{bits} on an empty message", frames, frames.Frame(Binary, [], reserved: bits));
            yield return Bad($"{bits} on a ping", frames, frames.Frame(Ping, "now"u8, reserved: bits), frames.TextOf("after"));
            yield return Bad($"{bits} on a Close", frames, frames.Frame(Close, [3, 232], reserved: bits));
        }
    }

    private static IEnumerable<TrafficCase> Opcodes(ClientFrames frames)
    {
        foreach (var opcode in new[] { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 })
        {
            yield return Bad($"{opcode}, empty", frames, frames.Frame(opcode, []));
            yield return Bad($"{opcode} with a payload between messages", frames,
                frames.TextOf("before"), frames.Frame(opcode, "what is this?"u8), frames.TextOf("after"), frames.Frame(Ping, []));
        }
    }

    private static IEnumerable<TrafficCase> Fragments(ClientFrames frames)
    {
        yield return Good("two", frames, frames.Frame(Text, "one "u8, isLast: false), frames.Frame(Continuation, "two"u8));
        yield return Good("a ping between", frames,
            frames.Frame(Text, "one "u8, isLast: false), frames.Frame(Ping, "now"u8), frames.Frame(Continuation, "two"u8));
        yield return Good("five with pings between", frames,
        [
            frames.Frame(Text, "0"u8, isLast: false),
            .. Enumerable.Range(1, 4).SelectMany(i => new[] { frames.Frame(Ping, [(byte)i]), frames.Frame(Continuation, "x"u8, isLast: i == 4) }),
        ]);
        yield return Good("three empty ones", frames,
            frames.Frame(Text, [], isLast: false), frames.Frame(Continuation, [], isLast: false), frames.Frame(Continuation, []));
        yield return Good("only the middle has a payload", frames,
            frames.Frame(Text, [], isLast: false), frames.Frame(Continuation, "middle"u8, isLast: false), frames.Frame(Continuation, []));
        yield return Bad("a continuation of nothing", frames, frames.Frame(Continuation, "of what?"u8), frames.TextOf("after"));
        yield return Bad("an unfinished continuation of nothing", frames, frames.Frame(Continuation, "of what?"u8, isLast: false), frames.TextOf("after"));
        yield return Bad("a continuation of what is over", frames,
            frames.Frame(Text, "one "u8, isLast: false), frames.Frame(Continuation, "two"u8), frames.Frame(Continuation, "three"u8), frames.TextOf("after"));
        yield return Bad("a message within another", frames, frames.Frame(Text, "one "u8, isLast: false), frames.TextOf("two"));
        yield return Bad("a beginning within another", frames,
            frames.Frame(Text, "one "u8, isLast: false), frames.Frame(Binary, "two"u8, isLast: false), frames.Frame(Continuation, "three"u8));
        yield return new("the client leaves in the middle", [frames.Frame(Text, "one "u8, isLast: false), frames.CloseWith(1001)], IsInOrder: true);
    }

    private static IEnumerable<TrafficCase> Texts(ClientFrames frames)
    {
        var greeting = "Grüße, κόσμε 🦋 𐍈"u8.ToArray();
        yield return Good("all lengths of characters", frames, frames.Frame(Text, greeting));
        yield return Good("a byte in each fragment", frames, [.. frames.Fragments(Text, greeting, 1)]);
        yield return Good("the last code point, and some that are nobody's", frames,
            frames.Frame(Text, [0xF4, 0x8F, 0xBF, 0xBF]), frames.Frame(Text, [0xEF, 0xBF, 0xBF, 0xEF, 0xBF, 0xBE, 0]));
        byte[][] wrong =
        [
            [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xED, 0xA0, 0x80, (byte)'x'], // A surrogate.
            [0xF4, 0x90, 0x80, 0x80], // Past the last code point.
            [0xC0, 0xAF], // Longer than needed.
            [0xE0, 0x80, 0xAF],
            [0xF0, 0x80, 0x80, 0xAF],
            [0x80],
            [0xFF],
            [(byte)'a', 0xCE], // Half.
        ];
        foreach (var bytes in wrong)
        {
            yield return Bad($"{Convert.ToHexString(bytes)} in one frame", frames, frames.Frame(Text, bytes), frames.TextOf("after"));
            yield return Bad($"{Convert.ToHexString(bytes)}, a byte in each fragment", frames, [.. frames.Fragments(Text, bytes, 1)]);
            yield return Good($"{Convert.ToHexString(bytes)} is not text", frames, frames.Frame(Binary, bytes));
        }
    }

    private static IEnumerable<TrafficCase> Closing(ClientFrames frames)
    {
        yield return Only("at once", frames.Frame(Close, []));
        yield return Only("after a message, with a reason", frames.TextOf("bye"), frames.CloseWith(1000, "done ✓"));
        yield return Only("the longest reason", frames.CloseWith(1000, new string('r', 123)));
        yield return Only("twice", frames.CloseWith(1000), frames.CloseWith(1001));
        yield return Only("a ping after it", frames.CloseWith(1000), frames.Frame(Ping, "still?"u8));
        yield return Only("a message after it", frames.CloseWith(1000), frames.TextOf("after"));
        yield return Only("what is no frame after it", frames.CloseWith(1000), [0x83, 0x7F, 1, 2, 3]);
        foreach (var code in new[] { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999 })
            yield return Only($"{code}", frames.CloseWith(code, "why"));
        foreach (var code in new[] { 0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535 })
            yield return Only($"{code}, which is none", frames.CloseWith(code));
        yield return Only("half a code", frames.Frame(Close, [3]));
        yield return Only("a reason that is not text", frames.Frame(Close, [3, 232, 0xCE, 0xBA, 0xED, 0xA0, 0x80]));
        yield return new("too long", [frames.Frame(Close, [3, 232, .. Enumerable.Repeat((byte)'r', 124)])], IsInOrder: false);
        yield return new("in fragments", [frames.Frame(Close, [3, 232], isLast: false), frames.Frame(Continuation, "why"u8)], IsInOrder: false);
    }

    private static IEnumerable<TrafficCase> Sizes(ClientFrames frames)
    {
        const int mebibyte = 1024 * 1024;
        foreach (var length in new[] { 64 * 1024, 256 * 1024, mebibyte, 4 * mebibyte, 16 * mebibyte })
            yield return Good($"{length} B of noise", frames, frames.Frame(Binary, frames.Noise(length)));
        yield return Good("1 MiB of text", frames, frames.Frame(Text, Letters(mebibyte)));
    }

    private static IEnumerable<TrafficCase> ManyFragments(ClientFrames frames)
    {
        const int mebibyte = 1024 * 1024;
        yield return Good("1 MiB, 64 B in each", frames, [.. frames.Fragments(Binary, frames.Noise(mebibyte), 64)]);
        yield return Good("1 MiB of text, 1,000 B in each", frames, [.. frames.Fragments(Text, Letters(mebibyte), 1000)]);
        yield return Good("4 MiB, 64 KiB in each", frames, [.. frames.Fragments(Binary, frames.Noise(4 * mebibyte), 64 * 1024)]);
        yield return Good("4 MiB, 1 MiB in each", frames, [.. frames.Fragments(Binary, frames.Noise(4 * mebibyte), mebibyte)]);
    }

    private static IEnumerable<TrafficCase> ManyMessages(ClientFrames frames)
    {
        foreach (var length in new[] { 0, 16, 126, 1024, 65_536 })
        {
            yield return Good($"{length} B each", frames,
            [
                .. Enumerable.Range(0, length > 1024 ? 32 : 1000)
                    .Select(i => i % 2 == 0 ? frames.Frame(Text, Letters(length)) : frames.Frame(Binary, frames.Noise(length))),
            ]);
        }
    }

    private static TrafficCase Good(string name, ClientFrames frames, params byte[][] sent) => new(name, [.. sent, frames.CloseWith(1000, "done")], true);

    private static TrafficCase Bad(string name, ClientFrames frames, params byte[][] sent) => new(name, [.. sent, frames.CloseWith(1000)], false);

    private static TrafficCase Only(string name, params byte[][] sent) => new(name, sent, true);
}
