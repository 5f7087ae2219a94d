using StickyWs.Observability;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

// TLS on either side of a pair, or on both: what arrives from such a side is decrypted, what goes to it is encrypted. The kernel's shortcuts (moved
// buffers, splices) are for plain bytes only.
internal sealed partial class PairRelay
{
    // A TLS end's replies (refused renegotiations, OpenSSL's KeyUpdates) that its peer does not take: with more, nothing more is received from it.
    private const int MostReplies = 64 * 1024;

    // Half a record costs what has come of it, up to 16 KiB. A slow network needs seconds for the rest.
    private const int LongestPart = 60_000;
    private const int PartInterval = LongestPart / 4;

    private int _withTls;
    private long _nextPartLook;

    private void BeginClient(int socket, TlsStart? tls, ReadOnlySpan<byte> early)
    {
        if (tls is { } start) BeginTls(socket, start.Plain.Span);
        else if (!early.IsEmpty) _ = TryPass(socket, ref Find(socket, out _), isClient: true, early);
    }

    // What a side sent before the pair was joined, and the end of it if that has come.
    private void BeginTls(int socket, ReadOnlySpan<byte> plain)
    {
        ref var pair = ref Find(socket, out var isClient);
        if (!plain.IsEmpty && !TryPass(socket, ref pair, isClient, plain)) return;
        Time(ref pair.Of(isClient), hasPlain: true);
        GoOn(socket, ref pair, isClient, pair.Of(isClient).Tls!.Status);
    }

    // Replies go first: what is sealed for the other side takes their place in the thread's workspace. The plain bytes stay.
    private void Translate(int socket, ref Pair pair, bool isClient, ReadOnlySpan<byte> bytes)
    {
        ref var from = ref pair.Of(isClient);
        if (from.Tls is not { } tls)
        {
            _ = TryPass(socket, ref pair, isClient, bytes);
            return;
        }

        var step = tls.Receive(bytes);
        if (!step.ToPeer.IsEmpty) Reply(ref from, step.ToPeer);
        if (!step.Plain.IsEmpty && !TryPass(socket, ref pair, isClient, step.Plain)) return;
        if (step.Plain.IsEmpty && tls.HoldsPart) NotePart(ref pair, isClient);
        Time(ref from, hasPlain: !step.Plain.IsEmpty);
        GoOn(socket, ref pair, isClient, step.Status);
    }

    // It is sending, if slowly. How long a record may take is limited. In a goodbye the other side may be gone already.
    private void NotePart(ref Pair pair, bool isClient)
    {
        ref var to = ref pair.Of(!isClient);
        if (pair.Watch is null || to.IsGone || _reactor.IsDeaf(to.Socket)) return;
        pair.LastActive = _reactor.Now;
        pair.Watch.Of(isClient).Speak(_reactor.Now);
    }

    private void GoOn(int socket, ref Pair pair, bool isClient, TlsStatus status)
    {
        if (status == TlsStatus.PeerClosed) Finished(socket);
        else if (status == TlsStatus.Failed) EndAfterAlert(socket, ref pair, isClient);
    }

    // False: the pair has ended.
    private bool TryPass(int socket, ref Pair pair, bool isClient, ReadOnlySpan<byte> plain)
    {
        if (pair.Watch is { } watch && IsScreened(ref pair, watch, isClient, plain.Length))
            return TryPassScreened(socket, ref pair, watch, isClient, plain);
        return TryPassRun(socket, ref pair, isClient, plain);
    }

    // The same for bytes that nothing has to be taken out of.
    private bool TryPassRun(int socket, ref Pair pair, bool isClient, ReadOnlySpan<byte> plain)
    {
        if (pair.Word is null) return TryPassOn(socket, ref pair, isClient, plain);
        var owner = pair.Owner;
        PassLast(socket, ref pair, isClient, plain);
        return pair.Owner == owner;
    }

    // False: the other side's TLS seals nothing more. Its peer left a message unfinished, and too much waits for that.
    private bool TryPassOn(int socket, ref Pair pair, bool isClient, ReadOnlySpan<byte> plain)
    {
        ref var to = ref pair.Of(!isClient);
        if (_reactor.IsDeaf(to.Socket))
        {
            pair.Owner!.Frames(isClient).Follow(plain); // It goes nowhere, and a goodbye still has to know the borders.
            return true;
        }

        CountPassed(ref pair, isClient, plain);
        if (pair.Watch is { } watch) NotePassed(ref pair, watch, isClient);
        var bytes = to.Tls is { } tls ? tls.Seal(plain) : plain;
        if (to.Tls is { Status: TlsStatus.Failed })
        {
            Note(ref pair, isClient ? EndReason.BackendTlsFailed : EndReason.TlsFailed);
            End(_reactor.Place(socket) >> 1, isReset: true);
            return false;
        }

        if (!TryAppend(ref to, bytes)) _reactor.Pause(socket);
        return true;
    }

    private void Reply(ref PairSide side, ReadOnlySpan<byte> records)
    {
        if (TryAppend(ref side, records)) return;
        side.Replies += records.Length;
        if (side.Replies > MostReplies) _reactor.Pause(side.Socket);
    }

    // False: it takes no more until it has sent this. A broken side takes everything, for nothing.
    private bool TryAppend(ref PairSide side, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || _reactor.Append(side.Socket, bytes) || _reactor.IsDeaf(side.Socket)) return true;
        side.IsFull = true;
        return false;
    }

    // The orderly end of the other side's direction: close_notify, then FIN.
    private void SayCloseNotify(ref PairSide side)
    {
        if (side.Tls is { } tls) _ = TryAppend(ref side, tls.Close());
    }

    // Who ends TLS says so first (RFC 8446 section 6.1): a bare FIN may be somebody else's.
    private static EndReason ReasonOfEnd(TlsEnd? tls, bool isClient) => (isClient, IsTruncated: tls is { Status: not TlsStatus.PeerClosed }) switch
    {
        (true, false) => EndReason.ClientClosed,
        (true, true) => EndReason.ClientTruncated,
        (false, false) => EndReason.BackendClosed,
        (false, true) => EndReason.BackendTruncated,
    };

    // This side broke TLS. It gets to know why. The other sees a reset; but what a backend sent before is still for its client. If the bytes before the
    // fault have ended the pair already, it drains as it began to.
    private void EndAfterAlert(int socket, ref Pair pair, bool isClient)
    {
        Note(ref pair, isClient ? EndReason.TlsFailed : EndReason.BackendTlsFailed);
        _reactor.FinishSending(socket);
        if (pair.IsDraining) return;
        if (isClient) Drain(_reactor.Place(socket) >> 1, isClientGone: false, isReset: true);
        else DrainBoth(_reactor.Place(socket) >> 1);
    }

    // Records without content are bounded in number: they may keep an old time.
    private void Time(ref PairSide side, bool hasPlain)
    {
        if (!side.Tls!.HoldsPart) side.PartSince = 0;
        else if (side.PartSince == 0 || hasPlain) side.PartSince = Stamp();
    }

    private int Stamp() => (int)_reactor.Now | 1;

    private void LookAtParts()
    {
        _nextPartLook = _reactor.Now + PartInterval;
        for (var number = 0; number < _pairs.End; number++)
        {
            ref var pair = ref _pairs[number];
            if (pair.Owner is null || pair.IsDraining) continue;
            var isClientLate = IsLate(ref pair.Client, in pair.Backend);
            if (!isClientLate && !IsLate(ref pair.Backend, in pair.Client)) continue;
            Note(ref pair, isClientLate ? EndReason.TlsFailed : EndReason.BackendTlsFailed);
            End(number, isReset: true);
        }
    }

    // While nothing is received from a side, the rest may be there.
    private bool IsLate(ref PairSide side, in PairSide other)
    {
        if (side.PartSince == 0) return false;
        if (other.IsFull || side.Replies > MostReplies) side.PartSince = Stamp();
        return unchecked((int)_reactor.Now - side.PartSince) >= LongestPart;
    }
}
