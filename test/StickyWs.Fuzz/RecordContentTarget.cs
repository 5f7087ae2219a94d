using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Fuzz;

/// <summary>
/// What stands within records: the own record layer and OpenSSL's pass on the same data, end alike, and send the same alert. An input is a script of
/// a type, a length and the content of each record; each end gets it under its own connection's keys.
/// </summary>
internal sealed class RecordContentTarget : IFuzzTarget
{
    private const byte Alert = 21;
    private const byte Handshake = 22;
    private const byte Data = 23;
    private const byte ClientHello = 1;
    private const byte DecodeError = 50;
    private const int HandshakeHeader = 4;

    private readonly SecretSlab _slab = new();
    private readonly TlsServerContext _own;
    private readonly TlsServerContext _kept;

    public RecordContentTarget()
    {
        if (TlsSupport.FirstRefusal() is { } refusal) throw new PlatformNotSupportedException(refusal);
        var settings = new TlsServerSettings { Certificate = TestCertificate.Server };
        (_own, _kept) = (TlsServerContext.Create(settings, _slab), TlsServerContext.Create(settings with { KeepsSsl = true }, _slab));
    }

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [Data, 3, 1, 2, 3, Data, 1, 4],
        [Data, 1, 1, Handshake, 5, 24, 0, 0, 1, 0, Data, 1, 2],
        [Handshake, 5, 24, 0, 0, 1, 1, Data, 1, 2, Handshake, 5, 24, 0, 0, 1, 1, Data, 1, 3],
        [Handshake, 2, 24, 0, Handshake, 3, 0, 1, 0, Data, 1, 2],
        [Data, 2, 1, 2, Alert, 2, 1, 0, Data, 1, 3],
        [Alert, 2, 1, 90, Data, 1, 1],
        [Data, 0, Data, 0, Data, 1, 1],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [Data, 0], [Data, 1, 7], [Alert, 2, 1, 0], [Alert, 2, 2, 20], [Alert, 2, 1, 90], [Alert, 0], [Alert, 1, 1], [Handshake, 0], [20, 1, 1], [24, 1, 1],
        [Handshake, 5, 24, 0, 0, 1, 0], [Handshake, 5, 24, 0, 0, 1, 1], [Handshake, 5, 24, 0, 0, 1, 2], [Handshake, 1, 24], [Handshake, 4, 1, 0, 0, 0],
        [Handshake, 10, 24, 0, 0, 1, 0, 24, 0, 0, 1, 0],
    ];

    public Task<bool> CheckAsync(byte[] input, Random random)
    {
        var (own, kept) = (Run(_own, input), Run(_kept, input));
        // OpenSSL waits for the whole header of a handshake message before it looks at the type. Where it refuses renegotiation, it ignores a
        // ClientHello in TLS 1.3 as well; RFC 8446, section 4.1.2, wants unexpected_message.
        if (own.IsTakenLater) return Task.FromResult(false);
        Broken.If(own.Status != kept.Status || own.Plain != kept.Plain || !IsSame(own.Alert, kept.Alert), $"{own}, but OpenSSL {kept}.");
        Broken.If(_slab.InUse != 0 || !_slab.IsZero(), "Secrets are left.");
        return Task.FromResult(own.Status != TlsStatus.Failed && own.Plain.Length > 0);
    }

    public ValueTask DisposeAsync()
    {
        _own.Dispose();
        _kept.Dispose();
        return ValueTask.CompletedTask;
    }

    // Where RFC 8446 leaves the choice, or OpenSSL has another word for a message that is wrong in itself.
    private static bool IsSame(byte own, byte theirs) => own == theirs || own == DecodeError;

    private Outcome Run(TlsServerContext context, byte[] script)
    {
        using var peer = new RecordPeer(context, _slab);
        var plain = new List<byte>();
        byte alert = 0;
        var handshake = new List<byte>();
        for (var at = 0; at + 2 <= script.Length && peer.End.Status == TlsStatus.Open;)
        {
            var (type, length) = (script[at], Math.Min(script[at + 1], script.Length - at - 2));
            var content = script.AsSpan(at + 2, length);
            at += 2 + length;
            var step = peer.End.Receive(peer.Seal(type, content));
            plain.AddRange(step.Plain);
            alert = peer.Alert(step.ToPeer.ToArray());
            if (type == Handshake) handshake.AddRange(content);
            if (handshake is not [24, 0, 0, 1, 0 or 1]) continue;
            handshake.Clear();
            peer.Update();
        }

        var isTakenLater = handshake.Count is > 0 and < HandshakeHeader || handshake is [ClientHello, ..];
        return new Outcome(peer.End.Status, Convert.ToHexString([.. plain]), alert, isTakenLater, peer.End.FailureReason);
    }

    private sealed record Outcome(TlsStatus Status, string Plain, byte Alert, bool IsTakenLater, string? Reason);
}
