using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// Tells tunnels to go, one after the other: evenly spread over a time, each at a random moment of its share of it. One timer, however many tunnels
/// there are.
/// </summary>
internal sealed class GoodbyeRound : IDisposable
{
    // What is due within this time is told together.
    private static readonly TimeSpan Grain = TimeSpan.FromMilliseconds(10);

    // A timer takes no longer time (2^32 - 2 ms); it is set again when it has fired.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(30);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Tunnel, TimeSpan> _due = new();
    private readonly HashSet<Tunnel> _planned = [];
    private readonly TimeProvider _time;
    private readonly TimeSpan _over;
    private readonly Func<Tunnel, bool> _tell;
    private readonly Action? _atDeadline;
    private readonly Func<double> _random;
    private readonly long _began;
    private readonly ITimer _timer;
    private TimeSpan? _deadline;
    private bool _isOver;
    private int _told;

    /// <param name="time">The clock.</param>
    /// <param name="over">The time over which tunnels are told, from now on.</param>
    /// <param name="tell">Tells one, and says whether it could be told. Called on the timer's thread; must be quick and must not throw.</param>
    /// <param name="deadline">When the round is over, from now on; <see langword="null"/> for never.</param>
    /// <param name="atDeadline">Called once at the deadline, as <paramref name="tell"/>.</param>
    /// <param name="random">The source of jitter: numbers from 0 to 1.</param>
    public GoodbyeRound(
        TimeProvider time, TimeSpan over, Func<Tunnel, bool> tell, TimeSpan? deadline = null, Action? atDeadline = null, Func<double>? random = null)
    {
        (_time, _over, _tell, _deadline, _atDeadline, _random) = (time, over, tell, deadline, atDeadline, random ?? Random.Shared.NextDouble);
        _began = time.GetTimestamp();
        _timer = time.CreateLasting(static round => ((GoodbyeRound)round!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_lock) Schedule();
    }

    /// <summary>How many were told so far; those that had ended before are not among them.</summary>
    public int Told => Volatile.Read(ref _told);

    /// <summary>Plans for tunnels, the first of them first. What is left of the time is theirs; none of it is left, they are told at once.</summary>
    public void Plan(IReadOnlyList<Tunnel> tunnels)
    {
        lock (_lock)
        {
            if (_isOver) return;
            var now = Elapsed;
            var left = _over > now ? _over - now : TimeSpan.Zero;
            for (var i = 0; i < tunnels.Count; i++)
            {
                if (_planned.Add(tunnels[i])) _due.Enqueue(tunnels[i], now + (left * ((i + _random()) / tunnels.Count)));
            }

            Schedule();
        }
    }

    /// <summary>Forgets who was planned for: they have all ended. Those who come later are told as before.</summary>
    public void Forget()
    {
        lock (_lock) _planned.Clear();
    }

    /// <summary>The round is over: nobody is told any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            _due.Clear();
            _planned.Clear();
        }

        _timer.Dispose();
    }

    private TimeSpan Elapsed => _time.GetElapsedTime(_began);

    private void Tick()
    {
        List<Tunnel> due = [];
        var isDeadline = false;
        lock (_lock)
        {
            if (_isOver) return;
            var now = Elapsed;
            while (_due.TryPeek(out _, out var at) && at <= now) due.Add(_due.Dequeue());
            if (_deadline <= now) (isDeadline, _deadline) = (true, null);
            Schedule();
        }

        foreach (var tunnel in due)
        {
            Interlocked.Increment(ref _told); // Before it can end.
            if (!_tell(tunnel)) Interlocked.Decrement(ref _told);
        }

        if (isDeadline) _atDeadline?.Invoke();
    }

    private void Schedule()
    {
        var next = _due.TryPeek(out _, out var at) ? at : TimeSpan.MaxValue;
        if (_deadline < next) next = _deadline.Value;
        if (next == TimeSpan.MaxValue) return;
        var wait = next - Elapsed;
        _timer.Change(wait < Grain ? Grain : wait > LongestWait ? LongestWait : wait, Timeout.InfiniteTimeSpan);
    }
}
