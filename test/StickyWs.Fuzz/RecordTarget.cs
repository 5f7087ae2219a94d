using System.Security.Cryptography;
using StickyWs.Tls;

namespace StickyWs.Fuzz;

/// <summary>
/// The own record layer of TLS, as bytes, of a server and of a client: no exception, the same outcome however the bytes are split, and whatever is
/// changed, only a beginning of what the peer really sent is passed on.
/// </summary>
internal sealed class RecordTarget : IFuzzTarget
{
    private const RecordSuite Suite = RecordSuite.Aes128Gcm;
    private const uint RecordsPerKey = 3;

    private static readonly byte[] FromPeer = SHA256.HashData("peer"u8);
    private static readonly byte[] ToPeer = SHA256.HashData("end"u8);

    private readonly SecretSlab _slab = new();
    private readonly byte[] _plain = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];

    public RecordTarget()
    {
        if (TlsSupport.FirstRefusal() is { } refusal) throw new PlatformNotSupportedException(refusal);
        var stream = Stream();
        Corpus = [stream, stream[..(stream.Length / 2)], stream[..30], [], [23, 3, 3, 0xff, 0xff], [21, 3, 3, 0, 2, 1, 0]];
        Dictionary = [[23, 3, 3, 0, 17], [23, 3, 3, 0, 0], [20, 3, 3, 0, 1, 1], [23, 3, 3, 0x40, 0x11], new byte[16], stream[..27]];
    }

    public IReadOnlyList<byte[]> Corpus { get; }

    public IReadOnlyList<byte[]> Dictionary { get; }

    public Task<bool> CheckAsync(byte[] input, Random random)
    {
        var isClient = random.Next(2) == 0;
        var whole = Receive(isClient, input, [input.Length]);
        var cuts = Splitter.Cuts(input.Length, random);
        var split = Receive(isClient, input, cuts);
        Broken.If(whole != split, $"{whole} in one piece, {split} in pieces that end at {string.Join(", ", cuts)}.");
        Broken.If(_slab.InUse != 0 || !_slab.IsZero(), "Secrets are left.");
        return Task.FromResult(whole.Status != TlsStatus.Failed && whole.Plain.Length > 0);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Data of several sizes, with the key updates that a limit of three records makes, and an end.
    private byte[] Stream()
    {
        using var peer = TlsEnd.Resume(_slab, Suite, ToPeer, FromPeer, RecordsPerKey, RecordLayer.MostContent);
        var records = new List<byte>();
        for (var start = 0; start < _plain.Length; start += 60) records.AddRange(peer.Seal(_plain.AsSpan(start, 60)));
        records.AddRange(peer.Close());
        return [.. records];
    }

    private Outcome Receive(bool isClient, byte[] input, int[] cuts)
    {
        using var end = TlsEnd.Resume(_slab, Suite, FromPeer, ToPeer, RecordsPerKey, RecordLayer.MostContent, isClient);
        var (plain, sent) = (new List<byte>(), new List<byte>());
        var start = 0;
        foreach (var cut in cuts)
        {
            var step = end.Receive(input.AsSpan(start, cut - start));
            plain.AddRange(step.Plain);
            sent.AddRange(step.ToPeer);
            start = cut;
        }

        Broken.If(!_plain.AsSpan().StartsWith(plain.ToArray()), $"{plain.Count} bytes were passed on that the peer did not send.");
        return new Outcome(end.Status, Convert.ToHexString([.. plain]), Convert.ToHexString([.. sent]), end.HoldsPart, end.FailureReason);
    }

    private sealed record Outcome(TlsStatus Status, string Plain, string Sent, bool HoldsPart, string? Reason);
}
