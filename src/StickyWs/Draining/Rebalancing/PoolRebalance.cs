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

    // How often the time to settle is doubled, at most, for a backend that comes and goes.
    private const int MostDoublings = 5;

    private readonly Queue<long> _toldAt = new();
    private readonly List<Tunnel> _leaving = [];
    private readonly Absences _absences = new(time);
    private (Backend Backend, int Weight)[] _backends = [];
    private long _crowdedSince;
    private long _lastTold;
    private long _lastStep;
    private double _allowed;
    private long? _pausedAt;
    private Returns? _returns;

    /// <summary>Whether tunnels were told, and the pool is not balanced yet.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>How many were told in this run, and in those before it whose clients were still expected when it began.</summary>
    public int Told { get; private set; }

    /// <summary>How many of them have not come back, nor others in their place.</summary>
    public int Lost { get; private set; }

    /// <summary>How many are to be told, in all, by the last step.</summary>
    public int Surplus { get; private set; }

    /// <summary>
    /// The next step: how many tunnels of which backends are to be told, the most crowded first, and how many of all these may be told now. What one
    /// has no tunnel for is the next one's.
    /// </summary>
    /// <param name="pool">The pool as it is now.</param>
    /// <param name="mayTell">Whether it is a time at which tunnels may be told at all.</param>
    /// <param name="isOpen">Whether a tunnel is still open.</param>
    /// <param name="ended">Whether a run has ended with this step.</param>
    public (List<(Backend Backend, int Surplus)> Crowded, int Most) Step(PoolSnapshot pool, bool mayTell, Func<Tunnel, bool> isOpen, out bool ended)
    {
        ended = false;
        var now = time.GetTimestamp();
        var options = pool.Options.Rebalance;
        _leaving.RemoveAll(tunnel => !isOpen(tunnel));
        while (_toldAt.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) >= LongestAbsence) _toldAt.Dequeue();
        Lost += (_returns = pool.Returns).Limit(_toldAt.Count);
        var isSame = IsSame(pool.Eligible);
        if ((IsRunning || _toldAt.Count > 0) && Lost * 2 > Told) _pausedAt = now; // Whatever backends there are: it is the clients.
        if (_pausedAt is { } since && time.GetElapsedTime(since, now) >= PauseAfterLoss) _pausedAt = null;
        Allow(options.Rate ?? 0, now);
        if (!mayTell || !isSame || options.Rate is null || _pausedAt is not null || !CanTake(pool))
        {
            (_crowdedSince, Surplus) = (now, 0);
            ended = End();
            return ([], 0);
        }

        var (crowded, room) = FindCrowded(pool, options);
        Surplus = crowded.Sum(one => one.Surplus);
        if (Surplus == 0)
        {
            _crowdedSince = now;
            ended = pool.Returns.Expected == 0 && _leaving.Count == 0 && End();
            return ([], 0);
        }

        if (IsRunning && time.GetElapsedTime(_lastTold, now) >= LongestVain) ended = End();
        var settle = options.SettleTime * (1 << Math.Min(_absences.MostOf(pool.Eligible), MostDoublings));
        if (!IsRunning && time.GetElapsedTime(_crowdedSince, now) < settle) return ([], 0);
        return ([.. crowded.OrderByDescending(one => one.Left / Math.Max(1, one.Share)).Select(one => (one.Backend, one.Surplus))],
            Math.Min(Math.Min(room, (int)_allowed), Surplus));
    }

    /// <summary>One was told to go.</summary>
    public void NoteTold(Tunnel tunnel, PoolSnapshot pool)
    {
        if (_toldAt.Count == 0) (Told, Lost) = (0, 0); // Not before: who is lost from now on may have been told in an earlier run.
        IsRunning = true;
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
        _absences.Note(_backends.Select(one => one.Backend.Name).Except(backends.Select(one => one.Backend.Name)));
        _backends = backends;
        return false;
    }

    // Somebody who waits for a place would wait even longer; one that warms up has not its share yet.
    private static bool CanTake(PoolSnapshot pool)
        => pool is { IsPanicking: false, Eligible: { Count: > 1, IsWarming: false } } && !pool.Lines.Handshakes.HasWaitersForAny;

    // Those that were told and are still open will go; those that have not come back will. A run begins above the tolerance and ends at half of it.
    // A backend is crowded only if it is so by each view: one client that has many tunnels whose hash leads there must not have those of others told,
    // and a policy that weighs requests, too, must not undo it.
    private (List<(Backend Backend, double Left, double Share, int Surplus)> Crowded, int Room) FindCrowded(PoolSnapshot pool, RebalanceOptions options)
    {
        var backends = pool.Eligible;
        var leaving = _leaving.CountBy(tunnel => tunnel.Backend).ToDictionary();
        var all = Weigh(pool, backend => backend.ActiveTunnels - leaving.GetValueOrDefault(backend), static _ => 0);
        List<View> views = [all];
        if (backends.Any(backend => TiedAt(backend, options) > 0)) views.Add(Weigh(pool, all.At, backend => TiedAt(backend, options)));
        if (WeighsRequests(pool.Options.Policy)) views.Add(Weigh(pool, backend => all.At(backend) + backend.ActiveRequests, static _ => 0));
        var (goal, isCrowded) = (1 + (options.Tolerance / 2), IsRunning);
        List<(Backend, double, double, int)> crowded = [];
        for (var i = 0; i < backends.Count; i++)
        {
            var surplus = views.Min(view => Math.Min((int)Math.Ceiling(view.Counts[i] - (view.Shares[i] * goal)), (int)(view.Counts[i] - view.Shares[i])));
            if (surplus <= 0) continue; // Never below the share.
            crowded.Add((backends[i], all.Counts[i], all.Shares[i], surplus));
            isCrowded |= views.TrueForAll(view => view.Counts[i] > view.Shares[i] * (1 + options.Tolerance));
        }

        return (isCrowded ? crowded : [], Math.Max(0, views.Min(view => view.Room) - pool.Returns.Expected));
    }

    // The built-in policies that go by load, and not by turns.
    private static bool WeighsRequests(string policy) => policy.Equals("LeastConnections", StringComparison.OrdinalIgnoreCase)
        || policy.Equals("PowerOfTwoChoices", StringComparison.OrdinalIgnoreCase);

    // Tunnels that are never told to go.
    private static int TiedAt(Backend backend, RebalanceOptions options)
        => backend.TunnelsWith(ClientTie.Hashed) + (options.Pinned ? 0 : backend.TunnelsWith(ClientTie.Pinned));

    // Who is lost is no reason to tell others.
    private View Weigh(PoolSnapshot pool, Func<Backend, int> countAt, Func<Backend, int> leftOut)
    {
        var counts = pool.Eligible.Select(backend => Math.Max(0, countAt(backend) - leftOut(backend))).ToArray();
        var away = pool.Returns.Expected + (IsRunning ? Lost : 0);
        var shares = FairShares.Of(pool.Eligible, counts.Sum() + away, backend => Math.Max(0, backend.MaxTunnels - leftOut(backend) ?? int.MaxValue));
        var room = counts.Zip(shares).Sum(one => (int)Math.Ceiling(Math.Max(0, one.Second - one.First)));
        return new View(counts, shares, room, countAt);
    }

    private sealed record View(int[] Counts, double[] Shares, int Room, Func<Backend, int> At);
}
