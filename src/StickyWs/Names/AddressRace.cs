using System.Net;
using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>Connects to one of several addresses: the next begins when one fails, or after a short while; the first that stands wins (RFC 8305 section 5).</summary>
internal sealed class AddressRace<T>(IReadOnlyList<IPAddress> addresses, int port, Func<IPEndPoint, CancellationToken, ValueTask<T>> connect, TimeProvider time)
    where T : IDisposable
{
    private static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<Task<T>, IPAddress> _attempts = [];
    private int _begun;
    private Exception? _failure;

    /// <exception cref="SocketException">None can be reached.</exception>
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
                    if (_attempts.Count == 0) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure!);
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
        return ended == turn && !cancellationToken.IsCancellationRequested ? null : ended as Task<T> ?? await Task.WhenAny(_attempts.Keys).ConfigureAwait(false);
    }

    private bool TryEnd(Task<T> attempt, out IPAddress address)
    {
        _attempts.Remove(attempt, out address!);
        if (attempt.IsCompletedSuccessfully) return true;
        _failure = attempt.Exception?.InnerException ?? new OperationCanceledException();
        return false;
    }

    // One that lost, and may yet stand.
    private static async Task DropAsync(Task<T> late)
    {
        try
        {
            (await late.ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // It was not reached either.
        }
    }
}
