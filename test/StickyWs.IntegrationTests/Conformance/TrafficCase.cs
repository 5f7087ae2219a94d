namespace StickyWs.IntegrationTests.Conformance;

/// <summary>What a client sends in one tunnel, frame by frame.</summary>
/// <param name="Name">What it tries.</param>
/// <param name="Frames">Its frames, in order.</param>
/// <param name="IsInOrder">Whether it is the traffic of a peer that keeps the rules and ends by a Close, so that both sides say one.</param>
internal sealed record TrafficCase(string Name, IReadOnlyList<byte[]> Frames, bool IsInOrder)
{
    public byte[] Bytes { get; } = Join(Frames);

    /// <summary>How many bytes there are up to the end of the first Close.</summary>
    public int UpToClose => Frames.TakeWhile(frame => !IsClose(frame)).Sum(frame => frame.Length) + (Frames.FirstOrDefault(IsClose)?.Length ?? 0);

    public override string ToString() => Name;

    private static bool IsClose(byte[] frame) => (frame[0] & 0x0F) == ClientFrames.Close;

    private static byte[] Join(IReadOnlyList<byte[]> frames)
    {
        var bytes = new byte[frames.Sum(frame => frame.Length)];
        var at = 0;
        foreach (var frame in frames)
        {
            frame.CopyTo(bytes, at);
            at += frame.Length;
        }

        return bytes;
    }
}
