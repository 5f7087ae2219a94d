using System.Buffers;
using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Frames;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Forwarding;

/// <summary>
/// The sticky forwarder: dial, send the head, verify the 101, relay, close. Once the relay runs, there is no more routing, balancing or parsing. It
/// knows neither how the client arrived (<see cref="ClientLeg"/>) nor how backends are chosen (<see cref="BackendChoice"/>).
/// </summary>
internal sealed partial class StickyForwarder(
    BackendDialer dialer,
    Handshake handshake,
    TunnelTable tunnels,
    BackendRegistry registry,
    IOutcomeSink outcomes,
    StickyWsMetrics metrics,
    FailureLog failures,
    Accounts accounts,
    TimeProvider time,
    ILogger<StickyForwarder> logger)
{
    /// <summary>
    /// Takes a handshake from its head to the end of its tunnel, to a tunnel that lives on by itself, or to the response that the client gets
    /// instead.
    /// </summary>
    public Task ForwardAsync<TConnection>(ClientLeg<TConnection> client, RequestHead head, BackendChoice choice)
        where TConnection : BackendConnection
        => RelayAsync(client, choice.Pool.Options.Tunnels, OpenAsync(client, head, choice));

    // Its state is gone when it returns: an idle tunnel must not keep the handshake in memory.
    private async ValueTask<OpenedBackend<TConnection>?> OpenAsync<TConnection>(ClientLeg<TConnection> client, RequestHead head, BackendChoice choice)
        where TConnection : BackendConnection
    {
        var startedAt = time.GetTimestamp();
        using var account = accounts.IsWanted ? accounts.Begin(client.Facts, head, choice) : null;
        ArrayBufferWriter<byte>? request = null; // Not before there is a backend: many may wait for one.
        var isTrusted = registry.Current.TrustedProxies.Contains(client.Info.Address);
        var retries = default(Retries);
        Backend? silent = null;
        while (true)
        {
            var dial = await dialer.DialAsync(choice, client.Connector, client.Left).ConfigureAwait(false);
            if (silent is not null && dial.Result is not (DialResult.NoBackend or DialResult.Abandoned)) metrics.Retried(choice.Pool.Name, silent.Name);
            if (dial.Connection is not { } connection)
            {
                await EndWithoutBackendAsync(client, dial, silent, choice, startedAt, account).ConfigureAwait(false);
                return null;
            }

            var (lease, backend) = (dial.Lease, dial.Lease.Backend);
            var isHandedOver = false;
            try
            {
                var pool = choice.Pool.Options;
                request ??= new ArrayBufferWriter<byte>(head.Length + 256);
                request.ResetWrittenCount();
                RequestHeadWriter.Write(request, head, client.Info, isTrusted, choice.Notice, account?.Ask(backend, connection.ReadTuple()));
                var maxHeadBytes = registry.Current.Options.MaxHeadBytes;
                var shaking = handshake.RunAsync(connection, request.WrittenMemory, head, pool.Timeouts.Handshake, maxHeadBytes, client.Left);
                var result = await shaking.ConfigureAwait(false);
                account?.Answered(Told(client, result.Outcome), result.Answer?.Status ?? 0);
                HandshakeOutcomes.Report(outcomes, backend, result.Outcome, choice);
                if (result.Answer is not null) lease = lease.Shaken(); // It has answered; how long the client takes to read that is not its matter.
                if (result.Outcome == HandshakeOutcome.NoAnswer && retries.TryAfterNoAnswer(head.IsRepeatable))
                {
                    silent = backend;
                    continue;
                }

                if (result.Answer is { } answer) result = result with { Answer = Marked(answer, await choice.SettleAsync(answer).ConfigureAwait(false)) };
                var outcome = await AcceptAsync(client, result).ConfigureAwait(false);
                isHandedOver = outcome == HandshakeOutcome.Opened;
                Measure(client, choice, backend.Name, backend, outcome, startedAt);
                if (isHandedOver)
                {
                    return Opened(
                        connection, lease, result.Behind.Span, head.IsWebSocket && pool.Tunnels.FollowFrames, choice.Client, account?.Opened());
                }

                LogRefused(client.ConnectionId, choice.Pool.Name, backend.Name, outcome);
                account?.Ended(Told(client, outcome), HandshakeOutcomes.StatusOf(outcome, result.Answer));
                if (HandshakeOutcomes.RefusalOf(outcome) is { } told) failures.Note(backend, "handshake", told.Status, told.Text);
                if (outcome == HandshakeOutcome.Full) await client.RefuseAsync(choice.Refuse(Refusal.NoRoomForUpgrade)).ConfigureAwait(false);
                else if (outcome == result.Outcome) await AnswerAsync(client, connection, result, pool.Timeouts, startedAt).ConfigureAwait(false);
                return null;
            }
            finally
            {
                if (!isHandedOver)
                {
                    connection.Dispose();
                    lease.Dispose();
                }
            }
        }
    }

    private async ValueTask EndWithoutBackendAsync<TConnection>(
        ClientLeg client, DialOutcome<TConnection> dial, Backend? silent, BackendChoice choice, long startedAt, HandshakeAccount? account)
        where TConnection : BackendConnection
    {
        var (outcome, refusal) = HandshakeOutcomes.Refuse(dial.Result, choice, wasAsked: silent is not null);
        var backend = outcome == HandshakeOutcome.NoAnswer ? silent : dial.Tried;
        var name = outcome == HandshakeOutcome.NoAnswer ? silent!.Name : null;
        if (outcome is HandshakeOutcome.NoBackend or HandshakeOutcome.Held) outcomes.Missed(choice.Pool);
        Measure(client, choice, name, backend, outcome, startedAt);
        LogRefused(client.ConnectionId, choice.Pool.Name, name, outcome);
        account?.Ended(Told(client, outcome), refusal?.Status ?? 0, backend);
        if (refusal is { Status: 502 or 504 } && backend is not null) failures.Note(backend, "handshake", refusal.Status, refusal.Text, dial.Failure);
        if (refusal is null) client.Abort();
        else await client.RefuseAsync(refusal).ConfigureAwait(false);
    }

    private void Measure(ClientLeg client, BackendChoice choice, string? name, Backend? backend, HandshakeOutcome outcome, long startedAt)
    {
        var duration = time.GetElapsedTime(startedAt);
        backend?.NoteHandshake(outcome, duration);
        metrics.HandshakeEnded(choice.Pool.Name, name, client.Lane, outcome, duration);
    }

    // A client whose handshake the application ended has not left.
    private static HandshakeOutcome? Told(ClientLeg client, HandshakeOutcome outcome)
        => outcome == HandshakeOutcome.ClientGone && client.IsTimedOut ? null : outcome;

    private static OpenedBackend<TConnection> Opened<TConnection>(
        TConnection connection, Lease lease, ReadOnlySpan<byte> afterHead, bool hasFrames, IPAddress? client, TunnelRecord? record)
        where TConnection : BackendConnection
    {
        var frames = hasFrames ? FrameCursor.OfBackend : FrameCursor.None;
        frames.Follow(afterHead);
        return new OpenedBackend<TConnection>(connection, lease, afterHead.Length, frames, hasFrames, client, record);
    }

    private static ResponseHead Marked(ResponseHead answer, ClientMarks marks)
        => marks.AddTo(answer.ForClient(), answer.Status, static (head, name, value) => head.With(name, value));

    private static async ValueTask<HandshakeOutcome> AcceptAsync(ClientLeg client, HandshakeResult result)
    {
        if (result.Outcome != HandshakeOutcome.Opened) return result.Outcome;
        try
        {
            return await client.AcceptAsync(result.Answer!, result.Behind).ConfigureAwait(false) ? HandshakeOutcome.Opened : HandshakeOutcome.Full;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return HandshakeOutcome.ClientGone;
        }
    }

    private async Task RelayAsync<TConnection>(ClientLeg<TConnection> client, TunnelOptions options, ValueTask<OpenedBackend<TConnection>?> opening)
        where TConnection : BackendConnection
    {
        if (await opening.ConfigureAwait(false) is { } opened) await client.RelayAsync(opened, options, tunnels).ConfigureAwait(false);
    }

    private async ValueTask AnswerAsync(ClientLeg client, BackendConnection connection, HandshakeResult result, TimeoutOptions timeouts, long startedAt)
    {
        if (result.Outcome == HandshakeOutcome.ClientGone)
        {
            client.Abort();
        }
        else if (result.Outcome == HandshakeOutcome.Declined)
        {
            using var timer = timeouts.Request is { } longest ? new CancellationTokenSource(Left(longest, startedAt), time) : null;
            using var whole = CancellationTokenSource.CreateLinkedTokenSource(client.Left, timer?.Token ?? default);
            var body = new AnswerBody(connection, result.Answer!, result.Behind, timeouts.Activity, time);
            await client.PassAsync(result.Answer!, body, whole.Token).ConfigureAwait(false);
        }
        else if (HandshakeOutcomes.RefusalOf(result.Outcome) is { } refusal)
        {
            await client.RefuseAsync(refusal).ConfigureAwait(false);
        }
    }

    private TimeSpan Left(TimeSpan longest, long startedAt) => longest - time.GetElapsedTime(startedAt) is { Ticks: > 0 } left ? left : TimeSpan.Zero;
}
