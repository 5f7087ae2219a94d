using System.Net;
using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>
/// Connects to one of several addresses: the next attempt begins when one fails, or after a short while; the first connection wins (RFC 8305 section
/// 5).
/// </summary>
/// <param name="addresses">All addresses, the preferred one first.</param>
/// <param name="known">An address that was reached recently; a local failure to reach it is this machine's own.</param>
/// <param name="port">The port.</param>
/// <param name="connect">Connects to one address.</param>
/// <param name="time">The clock.</param>
internal sealed class AddressRace<T>(
    IReadOnlyList<IPAddress> addresses, IPAddress? known, int port, Func<IPEndPoint, CancellationToken, ValueTask<T>> connect, TimeProvider time)
    where T : IDisposable
{
    private static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<Task<T>, IPAddress> _attempts = [];
    private readonly List<(IPAddress Address, Exception Failure)> _failures = [];
    private int _begun;

    /// <summary>The first address that was not tried.</summary>
    public IPAddress? Untried => _begun < addresses.Count ? addresses[_begun] : null;

    /// <exception cref="SocketException">No address can be reached; the most telling of their failures.</exception>
    public async Task<(T Connection, IPAddress Address)> RunAsync(CancellationToken cancellationToken)
    {
        using var race = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                if (_begun < addresses.Count) Begin(race.Token);
                while (await NextEndAsync(race.Token).ConfigureAwait(false) is { } ended)
                {
                    if (TryEnd(ended, out var address)) return (await ended.ConfigureAwait(false), address);
                    cancellationToken.ThrowIfCancellationRequested();
                    if (_begun < addresses.Count) break;
                    if (_attempts.Count == 0) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failures.MaxBy(Weight).Failure);
                }
            }
        }
        finally
        {
            await race.CancelAsync().ConfigureAwait(false);
            foreach (var late in _attempts.Keys) _ = DropAsync(late);
        }
    }

    private void Begin(CancellationToken cancellationToken)
    {
        var address = addresses[_begun++];
        _attempts.Add(connect(new IPEndPoint(address, port), cancellationToken).AsTask(), address);
    }

    // Null when it is the next address's turn.
    private async Task<Task<T>?> NextEndAsync(CancellationToken cancellationToken)
    {
        if (_begun == addresses.Count) return await Task.WhenAny(_attempts.Keys).ConfigureAwait(false);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var turn = Task.Delay(Stagger, time, enough.Token);
        var ended = await Task.WhenAny([.. _attempts.Keys, turn]).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        if (ended == turn && !cancellationToken.IsCancellationRequested) return null;
        return ended as Task<T> ?? await Task.WhenAny(_attempts.Keys).ConfigureAwait(false);
    }

    private bool TryEnd(Task<T> attempt, out IPAddress address)
    {
        _attempts.Remove(attempt, out address!);
        if (attempt.IsCompletedSuccessfully) return true;
        _failures.Add((address, attempt.Exception?.InnerException ?? new OperationCanceledException()));
        return false;
    }

    // How telling a failure is. A lack of local resources comes first: it says nothing about any address. "No route" also comes from a family that
    // this machine does not have, so the other addresses decide; only for an address that was reached before is it this machine's own trouble. The
    // name counts as refused only if all its addresses refuse.
    private int Weight((IPAddress Address, Exception Failure) end) => ErrorOf(end.Failure) switch
    {
        { } error when error.IsLocalShortage() => 4,
        SocketError.AddressNotAvailable or SocketError.NetworkUnreachable or SocketError.AddressFamilyNotSupported
            => end.Address.Equals(known) ? 3 : 0,
        SocketError.ConnectionRefused => 1,
        _ => 2,
    };

    private static SocketError? ErrorOf(Exception failure)
        => (failure as SocketException ?? failure.InnerException as SocketException)?.SocketErrorCode;

    // An attempt that lost the race may still connect.
    private static async Task DropAsync(Task<T> late)
    {
        try
        {
            (await late.ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // It failed as well.
        }
    }
}
