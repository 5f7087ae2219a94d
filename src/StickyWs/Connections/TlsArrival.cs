using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyWs.Detection;
using StickyWs.Dialing;
using StickyWs.Direct;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>
/// An arrival on a bare socket whose TLS ends here. Unlike <see cref="RawArrival"/> it takes the bytes off the socket: what is inside is kept, and goes
/// with the TLS end to whoever goes on with the connection.
/// </summary>
internal sealed partial class TlsArrival(ConnectionContext connection, IRawConnection raw, TlsTermination termination, bool holdsRecord)
    : SocketArrival(connection, raw), IDisposable
{
    // A longer head is for Kestrel, as on a bare socket.
    private const int LongestHead = 32 * 1024;
    private const int ReceiveSize = 16 * 1024 + 512;

    // Two session tickets, and more.
    private const int MostOwed = 4 * 1024;

    private static readonly TimeSpan LongestLinger = TimeSpan.FromSeconds(1);

    // None until there is something in it, and given up with the end: a connection that was released keeps this object.
    private ArrayBufferWriter<byte>? _plain;
    private ArrayBufferWriter<byte>? _reply;
    private TlsEnd? _end;
    private string? _failure;
    private TlsFeatures? _features;
    private bool _hasEnded;
    private bool _mayHoldMore;

    public override bool IsHttps => true;

    /// <summary>Why the handshake failed, if it did.</summary>
    public string? FailureReason => _failure ?? _end?.FailureReason;

    /// <summary>Does the TLS handshake, its steps aside (<see cref="AsideThread"/>) or in the thread pool. Ends on the reactor's thread.</summary>
    /// <returns>Whether the connection can be used; if not, it is only to be closed.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> HandshakeAsync(TimeProvider time)
    {
        var startedAt = time.GetTimestamp();
        string? errorType = null;
        TlsFacts? facts = null;
        var deadline = SetDeadline(termination.HandshakeTimeout, time);
        using var place = new HandshakePlace(HandshakePlaces.Of(Raw.Bare.Reactor), deadline);
        try
        {
            if (await CompleteHandshakeAsync(place, deadline.Token).ConfigureAwait(false)) facts = _end!.TakeFacts()!;
            else errorType = _failure is not null ? DialError.Timeout : _end is { Status: TlsStatus.Failed } ? DialError.Tls : DialError.Abandoned;
        }
        catch (Exception e)
        {
            errorType = e is OperationCanceledException ? DialError.Abandoned : DialError.TypeOf(e); // The transport ends a client's waits.
            throw;
        }
        finally
        {
            var elapsed = time.GetElapsedTime(startedAt);
            await Raw.Bare.Reactor.SwitchTo(); // Listeners to metrics are the application's.
            termination.Metrics.TlsHandshakeEnded(StickyWsMetrics.ClientSide, facts?.Version, facts?.IsResumed ?? false, errorType, elapsed);
        }

        if (facts is not null) _features = new TlsFeatures(facts);
        return facts is not null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> CompleteHandshakeAsync(HandshakePlace place, CancellationToken deadline)
    {
        try
        {
            if (!holdsRecord && !await HasHelloAsync(deadline).ConfigureAwait(false)) return false;
            await place.TakeAsync().ConfigureAwait(false);
            while (true)
            {
                await place.TakeTurnAsync(termination.CallsOut).ConfigureAwait(false);
                _end ??= termination.Accept();
                var received = TryReceive();
                if (!MayOwe(Owed.Length)) await ReplyAsync(deadline).ConfigureAwait(false);
                _hasEnded = received == 0;
                if (_hasEnded || _end.Status != TlsStatus.Handshaking) break;
                if (!_mayHoldMore) await Raw.Bare.WaitReadableAsync(deadline).ConfigureAwait(false); // Then the reactor's thread, where no step is done.
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            _failure = place.HasMadeWay ? "it was slow, and others waited for its place" : "it took too long, or the server is stopping";
            return false;
        }

        return _end.Status is TlsStatus.Open or TlsStatus.PeerClosed; // A close_notify may have come with the end of the handshake.
    }

    public override bool TryRead(ref Sniffer sniffer, out HeadResult result)
    {
        if (_features!.IsHttp2)
        {
            result = new HeadResult(HeadOutcome.Sniffed, Verdict.Http2Preface); // What was agreed counts; Kestrel checks that it is spoken.
            return true;
        }

        var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(Plain), out var head);
        if (verdict == Verdict.NeedMore && Plain.Length >= LongestHead) verdict = Verdict.Doubtful;
        result = new HeadResult(HeadOutcome.Sniffed, verdict, head);
        return verdict != Verdict.NeedMore || _hasEnded || _end!.Status != TlsStatus.Open;
    }

    public override async ValueTask<HeadResult> ReadAsync(Sniffer sniffer, TimeSpan deadline, TimeProvider time)
    {
        var whole = default(CancellationToken);
        try
        {
            // It may have come with the end of the handshake.
            if (TryRead(ref sniffer, out var result) && _end!.Status != TlsStatus.Failed) return result;
            whole = SetDeadline(deadline, time).Token;
            while (true)
            {
                if (_end!.Status == TlsStatus.Failed) throw new IOException($"The TLS connection failed: {FailureReason}"); // Nothing can be answered.
                await ReceiveAsync(whole).ConfigureAwait(false);
                if (TryRead(ref sniffer, out result) && _end.Status != TlsStatus.Failed) return result;
            }
        }
        catch (OperationCanceledException) when (whole.IsCancellationRequested)
        {
            return new HeadResult(sniffer.HasSeenBytes ? HeadOutcome.TimedOut : HeadOutcome.Silent);
        }
        finally
        {
            DropDeadline();
        }
    }

    /// <summary>After a failure: closes so that the client can read the alert.</summary>
    public async ValueTask LingerAsync(TimeProvider time)
    {
        if (_end is { Status: TlsStatus.Failed }) await Raw.Bare.LingerAsync(LongestLinger, time).ConfigureAwait(false);
    }

    /// <summary>Ends TLS and drops it, unless it was handed over.</summary>
    public void Dispose()
    {
        DropDeadline();
        if (_end is not { } end) return;
        _end = null;
        using (end)
        {
            if (end.Status is not (TlsStatus.Open or TlsStatus.PeerClosed)) return;
            Append(ref _reply, end.Close()); // After the tickets, which have their numbers.
            Raw.Bare.SendLast(Owed.Span);
        }
    }

    private ReadOnlyMemory<byte> Plain => _plain?.WrittenMemory ?? default;

    private ReadOnlyMemory<byte> Owed => _reply?.WrittenMemory ?? default;

    // With the end of the handshake the request may have come: then its answer and the session tickets make one packet. Own records mean TLS 1.3; in TLS 1.2
    // the handshake itself would be owed.
    private bool MayOwe(int length) => _end is { Status: TlsStatus.Open, HasOwnRecords: true } && length <= MostOwed;

    public override ValueTask<Departure> ServeDirectlyAsync(DirectLane lane)
    {
        WasDirect = true;
        return lane.ServeAsync(Raw, this, ConnectionId, Stopping, Take(headLength: 0), _features!.Version);
    }

    public override void Return(Departure departure)
    {
        _end = departure.Tls;
        Append(ref _plain, departure.Plain.Span);
        Append(ref _reply, departure.Owed.Span);
    }

    // Without: the direct lane had it, and gave it back to the connection.
    protected override ConnectionContext Realize() => _end is null ? Raw.Realize() : RealizeWithTls();

    protected override void SetFeatures(ConnectionContext ordinary)
    {
        base.SetFeatures(ordinary);
        ordinary.Features.Set<ITlsConnectionFeature>(_features);
        ordinary.Features.Set<ITlsHandshakeFeature>(_features);
        ordinary.Features.Set<ITlsApplicationProtocolFeature>(_features);
    }

    private ConnectionContext RealizeWithTls()
    {
        var start = Take(headLength: 0);
        try
        {
            return Raw.Realize(start);
        }
        catch
        {
            start.End.Dispose();
            throw;
        }
    }

    protected override DetachedClient Detach(int headLength, TimeProvider time)
        => new(Raw.Detach(), Raw.Tuple, ConnectionId, headLength: 0, time, Take(headLength), _features!.Version);

    private TlsStart Take(int headLength)
    {
        var start = new TlsStart(_end!, Plain[headLength..], Owed);
        (_end, _plain, _reply) = (null, null, null);
        return start;
    }

    // Whether there is a whole record to begin with. It stays in the kernel until there is a place: a client that dribbles costs no memory here.
    private async ValueTask<bool> HasHelloAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Before the peek: unconsumed bytes hide the end of the stream after them.
            var isEnd = Raw.HasPeerLeft;
            var buffer = ArrayPool<byte>.Shared.Rent(ReceiveSize);
            try
            {
                var length = Raw.TryPeek(buffer);
                if (TlsEnd.IsWholeRecord(buffer.AsSpan(0, Math.Max(length, 0)))) return true;
                if (isEnd || length == 0) return false;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            await Raw.WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        int received;
        while ((received = TryReceive()) < 0)
        {
            await ReplyAsync(cancellationToken).ConfigureAwait(false);
            await Raw.Bare.WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        }

        _hasEnded = received == 0;
        if (!_hasEnded && !MayOwe(Owed.Length)) await ReplyAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask ReplyAsync(CancellationToken cancellationToken)
    {
        if (Owed.IsEmpty) return;
        await Raw.Bare.SendAsync(Owed, cancellationToken).ConfigureAwait(false);
        _reply!.ResetWrittenCount();
    }

    // A client that is waited for has no buffer.
    private int TryReceive()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveSize);
        try
        {
            var received = Raw.Bare.TryReceive(buffer);
            _mayHoldMore = received == buffer.Length;
            if (received > 0) Step(buffer.AsSpan(0, received));
            return received;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Step(ReadOnlySpan<byte> bytes)
    {
        var step = TlsTermination.Receive(Connection, _end!, bytes);
        Append(ref _plain, step.Plain);
        var left = step.ToPeer;
        // Straight from OpenSSL's buffer, as a rule: what is kept is what the kernel does not take.
        if (!left.IsEmpty && Owed.IsEmpty && !MayOwe(left.Length)) left = left[Raw.Bare.TrySend(left)..];
        Append(ref _reply, left);
    }

    private static void Append(ref ArrayBufferWriter<byte>? writer, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        writer ??= new ArrayBufferWriter<byte>(Math.Max(bytes.Length, 256));
        writer.Write(bytes);
    }
}
