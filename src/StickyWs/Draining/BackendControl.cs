using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Draining;

/// <summary>The public face of drains: finds the backends, orders, and waits.</summary>
internal sealed class BackendControl(BackendRegistry registry, Drains drains, TimeProvider time) : IBackendControl
{
    private readonly Lock _commands = new();

    public Task<IReadOnlyList<DrainStatus>> StopAsync(BackendTarget target, CancellationToken cancellationToken = default)
        => OrderAsync(target, BackendMode.Stop, null, cancellationToken);

    public Task<IReadOnlyList<DrainStatus>> HandOffAsync(
        BackendTarget target, HandOffSettings? settings = null, CancellationToken cancellationToken = default)
        => OrderAsync(target, BackendMode.HandOff, settings, cancellationToken);

    public Task<IReadOnlyList<DrainStatus>> CutAsync(BackendTarget target, CancellationToken cancellationToken = default)
        => OrderAsync(target, BackendMode.Cut, null, cancellationToken);

    public void Undrain(BackendTarget target)
    {
        var backends = Find(target);
        lock (_commands) registry.Order(backends, BackendMode.On);
    }

    public void SetWeight(BackendTarget target, int? weight)
    {
        if (weight is < 1 or > 256) throw new ArgumentOutOfRangeException(nameof(weight), weight, "A weight is a number from 1 to 256.");
        var backends = Find(target);
        lock (_commands) registry.OrderWeight(backends, weight);
    }

    public IReadOnlyList<DrainStatus> Read(BackendTarget? target = null)
        => [.. drains.Backends.Where((target ?? BackendTarget.All).Includes).Select(drains.Find).OfType<BackendDrain>().Select(drain => drain.Status)];

    public Task<IReadOnlyList<DrainStatus>> WhenEmptyAsync(BackendTarget target, CancellationToken cancellationToken = default)
        => WhenEmptyAsync(Find(target), cancellationToken);

    private Task<IReadOnlyList<DrainStatus>> OrderAsync(
        BackendTarget target, BackendMode mode, HandOffSettings? settings, CancellationToken cancellationToken)
    {
        var backends = Find(target);
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<IReadOnlyList<DrainStatus>>(cancellationToken);
        lock (_commands)
        {
            using var preference = drains.Prefer(backends, backend => Of(settings, backend.Options.Drain));
            registry.Order(backends, mode);
        }

        return WhenEmptyAsync(backends, cancellationToken);
    }

    // While the last of them becomes empty, known clients may have come back to others that are only stopped: those are waited for again.
    private async Task<IReadOnlyList<DrainStatus>> WhenEmptyAsync(Backend[] backends, CancellationToken cancellationToken)
    {
        var ended = new DrainStatus[backends.Length];
        int[] waited = [.. Enumerable.Range(0, backends.Length)];
        while (waited.Length > 0)
        {
            await Task.WhenAll(waited.Select(async place => ended[place] = await EndAsync(backends[place], cancellationToken).ConfigureAwait(false)))
                .ConfigureAwait(false);
            waited = [.. Enumerable.Range(0, backends.Length).Where(place => ended[place].Outcome != DrainOutcome.Undrained && IsUsedAgain(backends[place]))];
        }

        return ended;
    }

    private bool IsUsedAgain(Backend backend) => drains.Find(backend) is { HasEnded: false };

    // Each wait has the token of its own, so that one that is given up leaves nothing behind at a drain that goes on for days.
    private Task<DrainStatus> EndAsync(Backend backend, CancellationToken cancellationToken)
        => drains.Find(backend)?.End.WaitAsync(cancellationToken) ?? Task.FromResult(StatusOf(backend));

    private Backend[] Find(BackendTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Backend[] found = [.. drains.Known.Where(target.Includes)];
        var isAll = target.Pool is null && target.Backend is null;
        return found.Length > 0 || isAll ? found : throw new ArgumentException($"There is no backend {target}.", nameof(target));
    }

    // Of one that does not drain, or was removed and is empty.
    private DrainStatus StatusOf(Backend backend) => new()
    {
        Pool = backend.Pool,
        Backend = backend.Name,
        Mode = backend.Mode,
        Outcome = backend.IsDraining ? DrainOutcome.Empty : DrainOutcome.Undrained,
        Total = backend.ActiveTunnels,
        Left = backend.ActiveTunnels,
        Requests = backend.ActiveRequests,
        Told = 0,
        Cut = 0,
        Since = time.GetUtcNow(),
    };

    private static DrainOptions Of(HandOffSettings? settings, DrainOptions pool)
    {
        if (settings is null) return pool;
        var over = settings.Over ?? pool.Over;
        var options = new DrainOptions
        {
            Over = over,
            Deadline = settings.Deadline is { } deadline
                ? deadline == Timeout.InfiniteTimeSpan ? null : deadline
                : pool.Deadline < over ? over : pool.Deadline, // A longer time that was asked for is meant to be used.
            CloseTimeout = pool.CloseTimeout,
            CloseCode = settings.CloseCode ?? pool.CloseCode,
            CloseReason = settings.CloseReason ?? pool.CloseReason,
        };
        List<string> errors = [.. new DrainRanges().Validate(nameof(settings), options).Failures ?? []];
        DrainRules.Check(nameof(settings), options, errors);
        return errors.Count == 0 ? options : throw new ArgumentException(string.Join(' ', errors), nameof(settings));
    }
}
