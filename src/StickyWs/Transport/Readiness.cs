using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace StickyWs.Transport;

/// <summary>"Try again": a signal that is remembered until it is awaited. One waiter at a time, any number of signallers.</summary>
/// <param name="goesOnInPool">
/// Whether the waiter continues on the thread pool; if not, within the signalling call, which on a reactor saves a thread switch.
/// </param>
internal sealed class Readiness(bool goesOnInPool = false) : IValueTaskSource
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = goesOnInPool };
    private int _state;

    /// <summary>Whether there was a signal that has not been awaited yet.</summary>
    public bool IsSignalled => Volatile.Read(ref _state) == Signalled;

    public void Signal()
    {
        if (Interlocked.CompareExchange(ref _state, Signalled, Idle) != Waiting) return;
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting) _core.SetResult(true);
        else Signal();
    }

    /// <summary>Waits for a signal since the last wait ended.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before one came.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.CompareExchange(ref _state, Idle, Signalled) == Signalled) return default;
        _core.Reset();
        var task = new ValueTask(this, _core.Version);
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Signalled)
        {
            Volatile.Write(ref _state, Idle);
            return default;
        }

        return cancellationToken.CanBeCanceled ? WaitAsync(task, cancellationToken) : task;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitAsync(ValueTask task, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (state, token) => ((Readiness)state!).Cancel(token), this)) await task.ConfigureAwait(false);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting) _core.SetException(new OperationCanceledException(cancellationToken));
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
