using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// Whether a pool's tunnels are to be spread again, and how many of which backends are to be told now. It knows of time and counts only; finding and
/// telling tunnels is the caller's. Used by one thread at a time.
/// </summary>
internal sealed class PoolRebalance(TimeProvider time)
{
    // Clients that have not come back by then are not expected any more.
    private static readonly TimeSpan LongestAbsence = TimeSpan.FromSeconds(30);

    // The end of a run that finds nobody to tell.
    private static readonly TimeSpan LongestVain = TimeSpan.FromMinutes(1);

    // How long clients are left alone of which most did not come back: in the end, telling them would only close tunnels.
    private static readonly TimeSpan PauseAfterLoss = TimeSpan.FromMinutes(10);

    private readonly Queue<long> _toldAt = new();
    private readonly List<Tunnel> _leaving = [];
    private (Backend Backend, int Weight)[] _backends = [];
    private long _crowdedSince;
    private long _lastTold;
    private long _lastStep;
    private double _allowed;
    private long? _pausedAt;
    private Returns? _returns;

    /// <summary>Whether tunnels were told, and the pool is not balanced yet.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>How many were told in this run.</summary>
    public int Told { get; private set; }

    /// <summary>How many of them have not come back, nor others in their place.</summary>
    public int Lost { get; private set; }

    /// <summary>How many are to be told, in all, by the last step.</summary>
    public int Surplus { get; private set; }

    /// <summary>The next step: how many tunnels of which backends may be told now, the most crowded first.</summary>
    /// <param name="pool">The pool as it is now.</param>
    /// <param name="mayTell">Whether it is a time at which tunnels may be told at all.</param>
    /// <param name="isOpen">Whether a tunnel is still open.</param>
    /// <param name="ended">Whether a run has ended with this step.</param>
    public List<(Backend Backend, int Count)> Step(PoolSnapshot pool, bool mayTell, Func<Tunnel, bool> isOpen, out bool ended)
    {
        ended = false;
        var now = time.GetTimestamp();
        var options = pool.Options.Rebalance;
        _leaving.RemoveAll(tunnel => !isOpen(tunnel));
        while (_toldAt.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) >= LongestAbsence) _toldAt.Dequeue();
        Lost += (_returns = pool.Returns).Limit(_toldAt.Count);
        var isSame = IsSame(pool.Eligible);
        if (!isSame) _pausedAt = null;
        else if (IsRunning && Lost * 2 > Told) _pausedAt = now;
        if (_pausedAt is { } since && time.GetElapsedTime(since, now) >= PauseAfterLoss) _pausedAt = null;
        Allow(options.Rate ?? 0, now);
        if (!mayTell || !isSame || options.Rate is null || _pausedAt is not null || !CanTake(pool))
        {
            (_crowdedSince, Surplus) = (now, 0);
            ended = End();
            return [];
        }

        var (crowded, room) = FindCrowded(pool, options);
        Surplus = crowded.Sum(one => one.Surplus);
        if (Surplus == 0)
        {
            _crowdedSince = now;
            ended = pool.Returns.Expected == 0 && _leaving.Count == 0 && End();
            return [];
        }

        if (IsRunning && time.GetElapsedTime(_lastTold, now) >= LongestVain) ended = End();
        if (!IsRunning && time.GetElapsedTime(_crowdedSince, now) < options.SettleTime) return [];
        return Choose(crowded, Math.Min(room, (int)_allowed));
    }

    /// <summary>One was told to go.</summary>
    public void NoteTold(Tunnel tunnel, PoolSnapshot pool)
    {
        if (!IsRunning) (IsRunning, Told, Lost) = (true, 0, 0);
        _allowed--;
        Told++;
        _lastTold = time.GetTimestamp();
        _toldAt.Enqueue(_lastTold);
        _leaving.Add(tunnel);
        pool.Returns.Expect();
    }

    /// <summary>The pool is no longer rebalanced: its clients come back as its policy says.</summary>
    /// <returns>Whether a run has ended.</returns>
    public bool Close()
    {
        _returns?.Limit(0);
        return End();
    }

    private bool End()
    {
        var wasRunning = IsRunning;
        IsRunning = false;
        return wasRunning;
    }

    // What accrues is not saved up: nobody wants many at once after a pause.
    private void Allow(double rate, long now)
    {
        var seconds = _lastStep == 0 ? 0 : time.GetElapsedTime(_lastStep, now).TotalSeconds;
        _lastStep = now;
        _allowed = Math.Min(_allowed + (rate * seconds), Math.Max(1, rate * Rebalancer.Interval.TotalSeconds));
    }

    private bool IsSame(BackendSet eligible)
    {
        (Backend Backend, int Weight)[] backends = [.. eligible.Select(backend => (backend, backend.Weight))];
        if (backends.AsSpan().SequenceEqual(_backends)) return true;
        _backends = backends;
        return false;
    }

    // Somebody who waits for a place would wait even longer; one that warms up has not its share yet.
    private static bool CanTake(PoolSnapshot pool)
        => pool is { IsPanicking: false, Eligible: { Count: > 1, IsWarming: false } } && !pool.Lines.Handshakes.HasWaitersForAny;

    // Those that were told and are still open will go; those that have not come back will. A run begins above the tolerance and ends at half of it.
    private (List<(Backend Backend, double Left, double Share, int Surplus)> Crowded, int Room) FindCrowded(PoolSnapshot pool, RebalanceOptions options)
    {
        var backends = pool.Eligible;
        var tunnels = new int[backends.Count];
        var leaving = _leaving.CountBy(tunnel => tunnel.Backend).ToDictionary();
        for (var i = 0; i < tunnels.Length; i++) tunnels[i] = backends[i].ActiveTunnels - leaving.GetValueOrDefault(backends[i]);
        var expected = pool.Returns.Expected;
        var shares = FairShares.Of(backends, tunnels.Sum() + expected + (IsRunning ? Lost : 0)); // Who is lost is no reason to tell others.
        var (goal, isCrowded) = (1 + (options.Tolerance / 2), IsRunning);
        var room = -expected;
        List<(Backend, double, double, int)> crowded = [];
        for (var i = 0; i < tunnels.Length; i++)
        {
            var above = (int)Math.Ceiling(tunnels[i] - (shares[i] * goal));
            var surplus = Math.Min(above, (int)(tunnels[i] - shares[i])); // Never below the share.
            room += (int)Math.Ceiling(Math.Max(0, shares[i] - tunnels[i]));
            if (surplus <= 0) continue;
            crowded.Add((backends[i], tunnels[i], shares[i], surplus));
            isCrowded |= tunnels[i] > shares[i] * (1 + options.Tolerance);
        }

        return (isCrowded ? crowded : [], Math.Max(0, room));
    }

    private static List<(Backend Backend, int Count)> Choose(List<(Backend Backend, double Left, double Share, int Surplus)> crowded, int most)
    {
        List<(Backend, int)> chosen = [];
        foreach (var one in crowded.OrderByDescending(one => one.Left / Math.Max(1, one.Share)))
        {
            var count = Math.Min(one.Surplus, most);
            if (count > 0) chosen.Add((one.Backend, count));
            most -= count;
        }

        return chosen;
    }
}
