using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// Judges what the data path saw. Traffic raises suspicion: if a backend is probed, its probe is due at once and decides; if not, its breaker counts.
/// A draining backend is judged like any other, so that its health is known when it returns to service.
/// </summary>
internal sealed partial class BreakerBoard(BackendRegistry registry, IProbeFactory probes, TimeProvider time, ILogger<BreakerBoard> logger)
    : IOutcomeSink, IDisposable
{
    private readonly ConcurrentDictionary<Backend, BackendBreaker> _breakers = new();
    private readonly ConcurrentDictionary<Backend, ProbeLoop> _loops = new();
    private readonly LineBudget _lines = new();

    public void Succeeded(Backend backend)
    {
        if (backend.Health != BackendState.Unhealthy) backend.NoteBack();
        if (!_breakers.TryGetValue(backend, out var breaker)) return;
        var counting = breaker.SucceededAsync();
        if (counting.IsCompletedSuccessfully) counting.GetAwaiter().GetResult();
        else _ = WatchAsync(backend, counting.AsTask());
    }

    public void Failed(Backend backend, Suspicion suspicion)
    {
        if (suspicion.Evidence.IsOurs()) return;
        // A backend whose tunnels die young accepts handshakes: nobody waits for its return.
        if (suspicion.Evidence != Evidence.DiesYoung) backend.NoteAway(time.GetTimestamp());
        if (suspicion.Evidence == Evidence.Refused) backend.NoteGone();
        if (suspicion.IsProof) Tell(backend, suspicion.Cause);
        if (!_breakers.TryGetValue(backend, out var breaker) || !breaker.Rules.CountsWork) return;
        if (_loops.TryGetValue(backend, out var loop))
        {
            loop.Suspect(suspicion);
            return;
        }

        var counting = breaker.FailedAsync(suspicion);
        if (counting.IsCompletedSuccessfully) counting.GetAwaiter().GetResult();
        else _ = WatchAsync(backend, counting.AsTask());
    }

    public void Missed(PoolSnapshot pool)
    {
        foreach (var backend in pool.Backends)
        {
            if (_loops.TryGetValue(backend, out var loop)) loop.Want();
        }
    }

    /// <summary>From now on a backend's probe loop is told of suspicions against it.</summary>
    public void Follow(Backend backend, ProbeLoop loop) => _loops[backend] = loop;

    /// <summary>A backend is no longer probed.</summary>
    public void Unfollow(Backend backend) => _loops.TryRemove(backend, out _);

    /// <summary>A probe of a backend has ended, with whatever result.</summary>
    public void NoteProbed(Backend backend) => registry.NoteProbed(backend);

    public Task IsolateAsync(Backend backend, string cause)
        => _breakers.TryGetValue(backend, out var breaker) ? breaker.IsolateAsync(cause) : Task.CompletedTask;

    public Task CloseAsync(Backend backend, string cause)
        => _breakers.TryGetValue(backend, out var breaker) ? breaker.CloseAsync(cause) : Task.CompletedTask;

    /// <summary>Follows the configuration. One caller at a time.</summary>
    public void Apply(RegistrySnapshot snapshot)
    {
        var followed = new HashSet<Backend>();
        foreach (var pool in snapshot.PoolsInUse)
        {
            var rules = BreakerRules.Of(pool.Options.Health);
            var check = new ConnectCheck(probes.CreateConnect(pool.Options), pool.Options.Timeouts.Connect, time);
            foreach (var backend in pool.Backends.Where(followed.Add)) Follow(backend, rules, check);
        }

        foreach (var backend in _breakers.Keys.Except(followed))
        {
            if (_breakers.TryRemove(backend, out var breaker)) breaker.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var breaker in _breakers.Values) breaker.Dispose();
    }

    private void Follow(Backend backend, BreakerRules rules, ConnectCheck check)
    {
        if (_breakers.TryGetValue(backend, out var old) && old.Rules == rules)
        {
            old.Check = check;
            return;
        }

        _breakers[backend] = new BackendBreaker(backend, rules, check, registry, time, work => _ = WatchAsync(backend, work));
        old?.Dispose();

        // Nothing else would ever bring it back: neither a probe nor a comeback.
        if (!rules.IsProbed && backend.Health == BackendState.Unhealthy)
            registry.Report(backend, BackendState.Unknown, "configuration: its health rules changed, it is tried again");
    }

    // Limits the log lines about a backend that keeps failing and recovering.
    private void Tell(Backend backend, string cause)
    {
        if (backend.NoteUnreachable() && _lines.TryTake(backend, time)) LogUnreachable(backend.Pool, backend.Name, backend.Address, cause);
    }

    // The data path does not await state changes; their failures must not be lost.
    private async Task WatchAsync(Backend backend, Task work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The comeback of a breaker that was replaced.
        }
        catch (Exception e)
        {
            LogBreakerFailed(e, backend.Pool, backend.Name);
        }
    }

    /// <summary>Limits the log lines about each backend: ten a minute.</summary>
    private sealed class LineBudget
    {
        private const int PerMinute = 10;

        private readonly ConditionalWeakTable<Backend, Queue<long>> _written = [];

        /// <returns>Whether one more may be written now; if so, it is counted.</returns>
        public bool TryTake(Backend backend, TimeProvider time)
        {
            var written = _written.GetOrCreateValue(backend);
            lock (written)
            {
                while (written.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= TimeSpan.FromMinutes(1)) written.Dequeue();
                if (written.Count == PerMinute) return false;
                written.Enqueue(time.GetTimestamp());
                return true;
            }
        }
    }
}
