using StickyWs.Frames;

namespace StickyWs.Fuzz;

/// <summary>A stream with Pongs of ours is, once these are taken out, the stream without them, however it is split.</summary>
internal static class PongScreen
{
    public static void Check(byte[] input, bool isMasked, Random random)
    {
        var ping = new OwnPing(isToClient: isMasked);
        byte[][] pongs = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => PongTo(Ask(ping), isMasked, random))];
        var naive = new NaiveFrames(isMasked);
        int[] borders =
        [
            .. Enumerable.Range(0, 4).Select(_ => random.Next(input.Length + 1)).Order()
                .Where(at => naive.Read(input, at) is { IsLost: false, HasClosed: false, Left.IsZero: true }).Take(pongs.Length),
        ];
        var first = random.Next(pongs.Length - borders.Length + 1); // A peer may leave any of them out, but keeps their order.
        List<byte> stream = [];
        for (var i = 0; i <= borders.Length; i++)
        {
            stream.AddRange(input[(i == 0 ? 0 : borders[i - 1])..(i == borders.Length ? input.Length : borders[i])]);
            if (i < borders.Length) stream.AddRange(pongs[first + i]);
        }

        // What looks like one to the last byte or so is none.
        var tail = naive.Read(input, input.Length) is { IsLost: false, HasClosed: false, Left.IsZero: true } ? Spoilt(pongs[0], random) : [];
        byte[] all = [.. stream, .. tail];
        var passed = Pass(ping, all, isMasked, random);
        var isSame = passed.SequenceEqual([.. input, .. tail]);
        Broken.If(!isSame, $"{(isMasked ? "masked" : "bare")}: {Convert.ToHexString(all)} became {Convert.ToHexString(passed)}.");
    }

    private static byte[] Pass(OwnPing ping, byte[] all, bool isMasked, Random random)
    {
        var cursor = isMasked ? FrameCursor.OfClient : FrameCursor.OfBackend;
        List<byte> passed = [];
        var start = 0;
        foreach (var cut in Splitter.Cuts(all.Length, random))
        {
            while (start < cut)
            {
                var rest = all.AsSpan(start, cut - start);
                var step = ping.Take(cursor, rest);
                Broken.If(step.Taken < 1 || step.Taken > rest.Length || step.Pass > Math.Max(rest.Length, OwnPing.Longest), $"{step} of {rest.Length} bytes.");
                var run = step.IsHeld ? ping.Held.Span : rest[..step.Pass];
                cursor.Follow(run);
                passed.AddRange(run);
                start += step.Taken;
            }
        }

        return [.. passed, .. ping.Release().Span];
    }

    private static byte[] Ask(OwnPing ping)
    {
        var frame = new byte[OwnPing.Longest];
        return frame[..ping.Write(frame)];
    }

    private static byte[] PongTo(byte[] ping, bool isMasked, Random random)
    {
        var key = ping[2..^12]; // Of those that go to a backend.
        byte[] payload = [.. ping[^12..].Select((one, i) => (byte)(key.Length == 0 ? one : one ^ key[i % 4]))];
        if (!isMasked) return [0x8A, 12, .. payload];
        var own = new byte[4];
        random.NextBytes(own);
        return [0x8A, 0x8C, .. own, .. payload.Select((one, i) => (byte)(one ^ own[i % 4]))];
    }

    // Not in its number: that of another may be as good.
    private static byte[] Spoilt(byte[] pong, Random random)
    {
        byte[] spoilt = [.. pong];
        spoilt[random.Next(spoilt.Length - 4)] ^= (byte)(1 << random.Next(8));
        return spoilt[..random.Next(spoilt.Length + 1)];
    }
}
