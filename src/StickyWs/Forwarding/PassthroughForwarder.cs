using System.Buffers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Frames;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Tls;
using StickyWs.Tunnels;

namespace StickyWs.Forwarding;

/// <summary>
/// Passes a client's TLS through: dial, hand the ClientHello over, wait for the first bytes of the answer, relay. A TLS server speaks as soon as it has the
/// hello, so one that closes without a byte has done nothing with it, and the next backend gets it. What the bytes say is between client and backend.
/// </summary>
internal sealed partial class PassthroughForwarder(
    BackendDialer dialer,
    TunnelTable tunnels,
    IOutcomeSink outcomes,
    StickyWsMetrics metrics,
    FailureLog failures,
    Accounts accounts,
    TimeProvider time,
    ILogger<PassthroughForwarder> logger)
{
    private const int FirstRead = 8 * 1024;

    private static readonly byte[] Sorry = PlainAlert.Of(TlsAlert.internal_error);

    /// <summary>Takes a connection from its ClientHello to the end of its tunnel, to a tunnel that lives on by itself, or to an alert.</summary>
    public Task ForwardAsync<TClient, TConnection>(TClient client, BackendChoice choice)
        where TClient : ClientLeg<TConnection>, IOpaqueClient
        where TConnection : BackendConnection
        => RelayAsync(client, choice.Pool.Options.Tunnels, OpenAsync<TClient, TConnection>(client, choice));

    private async Task RelayAsync<TConnection>(ClientLeg<TConnection> client, TunnelOptions options, ValueTask<OpenedBackend<TConnection>?> opening)
        where TConnection : BackendConnection
    {
        if (await opening.ConfigureAwait(false) is { } opened) await client.RelayAsync(opened, options, tunnels).ConfigureAwait(false);
    }

    // Its state is gone when it returns, and the buffers with it.
    private async ValueTask<OpenedBackend<TConnection>?> OpenAsync<TClient, TConnection>(TClient client, BackendChoice choice)
        where TClient : ClientLeg<TConnection>, IOpaqueClient
        where TConnection : BackendConnection
    {
        var startedAt = time.GetTimestamp();
        var hello = ArrayPool<byte>.Shared.Rent(client.HelloLength);
        try
        {
            client.CopyHello(hello.AsSpan(0, client.HelloLength));
            return await OpenAsync<TClient, TConnection>(client, choice, hello.AsMemory(0, client.HelloLength), startedAt).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(hello);
        }
    }

    // From one backend to the next, until one has answered or none is left.
    private async ValueTask<OpenedBackend<TConnection>?> OpenAsync<TClient, TConnection>(
        TClient client, BackendChoice choice, ReadOnlyMemory<byte> hello, long startedAt)
        where TClient : ClientLeg<TConnection>, IOpaqueClient
        where TConnection : BackendConnection
    {
        using var account = accounts.IsWanted ? accounts.Begin(client.Facts, null, choice) : null;
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
                account?.Ask(backend, connection.ReadTuple());
                var (outcome, length) = await ShakeAsync(client, choice, connection, backend, hello).ConfigureAwait(false);
                if (outcome == HandshakeOutcome.NoAnswer && retries.TryAfterNoAnswer(isSafe: true))
                {
                    silent = backend;
                    continue;
                }

                isHandedOver = outcome == HandshakeOutcome.Opened;
                account?.Ended(outcome, 0);
                await EndAsync(client, choice, outcome, backend, startedAt).ConfigureAwait(false);
                if (isHandedOver)
                {
                    return new OpenedBackend<TConnection>(
                        connection, lease.Shaken(), length, FrameCursor.None, HasFrames: false, choice.Client, account?.Opened());
                }

                if (HandshakeOutcomes.RefusalOf(outcome) is { } told) NoteFailure(backend, told.Text);
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

    private async ValueTask EndWithoutBackendAsync<TClient, TConnection>(
        TClient client, DialOutcome<TConnection> dial, Backend? silent, BackendChoice choice, long startedAt, HandshakeAccount? account)
        where TClient : ClientLeg<TConnection>, IOpaqueClient
        where TConnection : BackendConnection
    {
        var (outcome, refusal) = HandshakeOutcomes.Refuse(dial.Result, choice, wasAsked: silent is not null);
        if (outcome is HandshakeOutcome.NoBackend or HandshakeOutcome.Held) outcomes.Missed(choice.Pool);
        var backend = outcome == HandshakeOutcome.NoAnswer ? silent : dial.Tried;
        account?.Ended(outcome, 0, backend);
        if (refusal is { Status: 502 or 504 } && backend is not null) NoteFailure(backend, refusal.Text, dial.Failure);
        await EndAsync(client, choice, outcome, outcome == HandshakeOutcome.NoAnswer ? silent : null, startedAt).ConfigureAwait(false);
    }

    // One backend: the hello to it, and the beginning of its answer to the client.
    private async ValueTask<(HandshakeOutcome Outcome, int Length)> ShakeAsync<TClient>(
        TClient client, BackendChoice choice, BackendConnection connection, Backend backend, ReadOnlyMemory<byte> hello)
        where TClient : ClientLeg, IOpaqueClient
    {
        var first = ArrayPool<byte>.Shared.Rent(FirstRead);
        try
        {
            var (outcome, length) = await AskAsync(connection, hello, first, choice.Pool.Options.Timeouts.Handshake, client.Left).ConfigureAwait(false);
            HandshakeOutcomes.Report(outcomes, backend, outcome, choice);
            if (outcome == HandshakeOutcome.Opened) outcome = await AcceptAsync(client, choice, first.AsMemory(0, length)).ConfigureAwait(false);
            return (outcome, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(first);
        }
    }

    // The hello as it came, and the first bytes of the answer, whatever they are.
    private async ValueTask<(HandshakeOutcome Outcome, int Length)> AskAsync(
        BackendConnection connection, ReadOnlyMemory<byte> hello, Memory<byte> first, TimeSpan timeout, CancellationToken clientLeft)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var leaving = clientLeft.UnsafeRegister(static timer => ((CancellationTokenSource)timer!).Cancel(), timer);
        try
        {
            await connection.Stream.WriteAsync(hello, timer.Token).ConfigureAwait(false);
            var length = await connection.Stream.ReadAsync(first, timer.Token).ConfigureAwait(false);
            return (length == 0 ? HandshakeOutcome.NoAnswer : HandshakeOutcome.Opened, length);
        }
        catch (OperationCanceledException)
        {
            return (clientLeft.IsCancellationRequested ? HandshakeOutcome.ClientGone : HandshakeOutcome.TimedOut, 0);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return (HandshakeOutcome.NoAnswer, 0);
        }
    }

    private static async ValueTask<HandshakeOutcome> AcceptAsync<TClient>(TClient client, BackendChoice choice, ReadOnlyMemory<byte> first)
        where TClient : ClientLeg, IOpaqueClient
    {
        await choice.SettleAsync(NoHead.Instance).ConfigureAwait(false);
        try
        {
            await client.AcceptAsync(first).ConfigureAwait(false);
            return HandshakeOutcome.Opened;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return HandshakeOutcome.ClientGone;
        }
    }

    private async ValueTask EndAsync<TClient>(TClient client, BackendChoice choice, HandshakeOutcome outcome, Backend? backend, long startedAt)
        where TClient : ClientLeg, IOpaqueClient
    {
        var duration = time.GetElapsedTime(startedAt);
        backend?.NoteHandshake(outcome, duration);
        metrics.HandshakeEnded(choice.Pool.Name, backend?.Name, client.Lane, outcome, duration);
        if (outcome == HandshakeOutcome.Opened) return;
        LogRefused(client.ConnectionId, choice.Pool.Name, backend?.Name, outcome);
        if (outcome == HandshakeOutcome.ClientGone) client.Abort();
        else await client.RefuseAsync(Sorry).ConfigureAwait(false);
    }

    private void NoteFailure(Backend backend, string cause, Exception? exception = null)
        => failures.NoteAnswer(backend, "passed-through connection", "an alert", cause, exception);

    /// <summary>Nothing can be learnt from an answer that is encrypted.</summary>
    private sealed class NoHead : IAnswerHead
    {
        public static NoHead Instance { get; } = new();

        public bool TryRead(string name, int occurrence, Span<byte> value, out int length)
        {
            length = 0;
            return false;
        }
    }
}
