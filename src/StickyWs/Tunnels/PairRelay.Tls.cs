using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

// TLS on the client's side of a pair: what arrives from the client is decrypted, what goes to it is encrypted. The kernel's shortcuts (moved buffers,
// splices) are for plain bytes only.
internal sealed partial class PairRelay
{
    // Replies to the client (refused renegotiations, OpenSSL's KeyUpdates) that it does not take: with more, nothing more is received from it.
    private const int MostReplies = 64 * 1024;

    // What the client sent before the pair was joined, and the end of it if that has come.
    private void BeginTls(int number, ReadOnlySpan<byte> plain)
    {
        ref var pair = ref _pairs[number];
        if (!plain.IsEmpty) PassPlain(pair.Client, ref pair, plain);
        if (pair.Tls!.Status == TlsStatus.PeerClosed) Finished(pair.Client);
    }

    private void Decrypt(int socket, ref Pair pair, ReadOnlySpan<byte> bytes)
    {
        var step = pair.Tls!.Receive(bytes);
        if (!step.Plain.IsEmpty) PassPlain(socket, ref pair, step.Plain);
        if (!step.ToPeer.IsEmpty) ReplyTo(socket, ref pair, step.ToPeer);
        if (step.Status == TlsStatus.PeerClosed) Finished(socket);
        else if (step.Status == TlsStatus.Failed) EndAfterAlert(socket, ref pair);
    }

    // After a close_notify nothing counts (RFC 8446 section 6.1), and nothing keeps the tunnel alive.
    private static bool IsOver(ref Pair pair, bool isClient) => isClient && pair.Tls is not null && pair.HasClientFinished;

    private void ReplyTo(int socket, ref Pair pair, ReadOnlySpan<byte> records)
    {
        if (_reactor.Append(socket, records) || _reactor.IsDeaf(socket)) return;
        pair.Replies += records.Length;
        if (pair.Replies > MostReplies) _reactor.Pause(socket);
    }

    private void ResumeReplied(ref Pair pair)
    {
        if (pair.Replies > MostReplies && pair.Client != Pair.Gone) _reactor.Resume(pair.Client);
        pair.Replies = 0;
    }

    private void PassPlain(int socket, ref Pair pair, ReadOnlySpan<byte> plain)
    {
        pair.Owner!.CountToBackend(plain);
        Append(socket, pair.Backend, plain);
    }

    private void Encrypt(int socket, ref Pair pair, ReadOnlySpan<byte> plain)
    {
        pair.Owner!.CountToClient(plain);
        var records = pair.Tls!.Seal(plain);
        if (pair.Tls.Status == TlsStatus.Failed) throw new InvalidOperationException($"No record could be sealed: {pair.Tls.FailureReason}");
        Append(socket, pair.Client, records);
    }

    private void Append(int from, int to, ReadOnlySpan<byte> bytes)
    {
        if (!_reactor.Append(to, bytes) && !_reactor.IsDeaf(to)) _reactor.Pause(from);
    }

    // The orderly end of the backend's direction: close_notify, then FIN.
    private void SayCloseNotify(ref Pair pair)
    {
        if (pair.Tls is { } tls) _ = _reactor.Append(pair.Client, tls.Close());
    }

    // The client broke TLS. It gets to know why; the backend sees a reset.
    private void EndAfterAlert(int socket, ref Pair pair)
    {
        Note(ref pair, EndReason.TlsFailed);
        _reactor.FinishSending(socket);
        Drain(_reactor.Place(socket) >> 1, isClientGone: false, isReset: true);
    }
}
