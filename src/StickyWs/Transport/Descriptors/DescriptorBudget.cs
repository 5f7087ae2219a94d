using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Transport;

/// <summary>
/// Allocates the process's descriptors so that it never runs out: a runtime that cannot open a file ends the process. A connection is accepted only
/// if there is a descriptor for its backend, too; others wait in the listener's backlog. A reserve is kept free: half of it for connections to
/// backends beyond one per client, the rest for everything else. Between true counts (at most one a second while nothing is short) newly opened
/// descriptors are added, and none subtracted. Without a limit (any system but Linux) everything is allowed.
/// </summary>
internal sealed partial class DescriptorBudget
{
    /// <summary>A connection's own descriptor, and its backend's.</summary>
    public const int PerConnection = 2;

    private const int SmallestReserve = 96;
    private const int ReservedShare = 20;
    private const int SmallestReserveOfAll = 8;

    // Where counting is slow, it must not take more than a twentieth of the time. The quicker one of two counts tells: in the other, the thread may have
    // lost its core.
    private const int CountingShare = 20;

    // What was opened during a count may be in it already. With more of that, it is counted again.
    private const int FewDuringACount = 4;
    private const int MostCountsInARow = 3;
    private static readonly TimeSpan TimeBetweenCounts = TimeSpan.FromSeconds(1);

    private readonly Func<DescriptorCount>? _read;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Pace _pace;
    private readonly Pace _paceOfCalls;
    private readonly Lock _counting = new();
    private readonly Func<int> _tunnels;
    private readonly int _mostReserved;
    private volatile int _limit;
    private volatile int _reserve;
    private long _countedAt;
    private TimeSpan _lastCountTook;
    private TimeSpan _shortestWait;

    // Exact as of the last count; since then an overestimate rather than an underestimate.
    private int _open;

    // Allocated but not open yet: a burst must not slip through between two counts.
    private int _opening;

    // Connections not yet classified; those of plain HTTP, which share pooled connections to backends; and these pooled connections.
    private int _undecided;
    private int _plain;
    private int _pooled;

    private int _held;
    private bool _isSaid;

    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs a shortage, once a minute, and its end.</param>
    /// <param name="read">Counts the descriptors; by default from the kernel.</param>
    /// <param name="tunnels">Returns the number of open tunnels.</param>
    public DescriptorBudget(TimeProvider time, ILogger<DescriptorBudget> logger, Func<DescriptorCount>? read = null, Func<int>? tunnels = null)
    {
        _time = time;
        _logger = logger;
        _pace = Pace.OfWarnings(time);
        _paceOfCalls = new Pace(time, TimeBetweenCounts);
        _tunnels = tunnels ?? (static () => 0);
        _read = read ?? (OperatingSystem.IsLinux() ? static () => new DescriptorCount(OpenDescriptors.Count(), OpenDescriptors.Limit) : null);
        if (_read is null) return;
        // A third of what is free when the first listener is bound: a runtime opens two files per assembly, many of them with the first requests, and must
        // not fail at that.
        var first = _read();
        _mostReserved = Math.Max(SmallestReserveOfAll, (first.Limit - first.Open) / 3);
        Note(first);
    }

    /// <summary>Connections wait for descriptors. Raised at most once a second, on the thread pool.</summary>
    public event Action? Short;

    public bool IsLimited => _read is not null;

    /// <summary>Descriptors kept free of connections.</summary>
    public int Reserve => _reserve;

    /// <summary>Whether another connection may be accepted.</summary>
    public bool HasRoom => !IsLimited || Fits(PerConnection, isAccept: true);

    private int Pledged => Volatile.Read(ref _undecided) + Math.Max(0, Volatile.Read(ref _plain) - Volatile.Read(ref _pooled));

    /// <summary>The limit needed for this many descriptors plus the reserve.</summary>
    public static long LimitFor(long descriptors) => Math.Max(descriptors + SmallestReserve, (descriptors * ReservedShare / (ReservedShare - 1)) + 1);

    /// <summary>Counts now.</summary>
    public DescriptorCount Count()
    {
        Recount();
        return new DescriptorCount(Volatile.Read(ref _open), _limit);
    }

    /// <summary>Registers an accepted connection; <see langword="null"/> if there is no limit.</summary>
    public ConnectionShare? Admit()
    {
        if (!IsLimited) return null;
        Interlocked.Increment(ref _open);
        Interlocked.Increment(ref _undecided);
        return new ConnectionShare(this);
    }

    /// <summary>
    /// Allocates a descriptor for a connection to a backend; <see cref="Opened"/> follows as soon as a count sees it. A shortage is logged once a
    /// minute.
    /// </summary>
    public bool TryTakeForBackend()
    {
        if (!IsLimited) return true;
        Interlocked.Increment(ref _opening);
        if (Fits(0, isAccept: false)) return true;
        Interlocked.Decrement(ref _opening);
        SayShort();
        return false;
    }

    /// <summary>The allocated descriptor is open, or will not be opened.</summary>
    public void Opened()
    {
        if (!IsLimited) return;
        Interlocked.Increment(ref _open);
        Interlocked.Decrement(ref _opening);
    }

    /// <summary>An allocated descriptor is being opened: counted at once if nothing has to be resolved first, otherwise on completion.</summary>
    public static async ValueTask<T> WatchAsync<T>(DescriptorBudget? budget, ValueTask<T> opening, bool isOpenAtOnce)
    {
        if (isOpenAtOnce) budget?.Opened();
        try
        {
            return await opening.ConfigureAwait(false);
        }
        finally
        {
            if (!isOpenAtOnce) budget?.Opened();
        }
    }

    /// <summary>Like <see cref="TryTakeForBackend"/>, but throws.</summary>
    /// <exception cref="NoDescriptorException">There is none.</exception>
    public void TakeForBackend()
    {
        if (!TryTakeForBackend()) throw new NoDescriptorException();
    }

    /// <summary>Wraps a pooled connection to a backend, which is counted until it is disposed.</summary>
    public Stream Pooled(Stream stream)
    {
        if (!IsLimited) return stream;
        AddPooled();
        return new PooledStream(stream, this);
    }

    /// <summary>Counts a pooled connection to a backend until <see cref="Unpool"/>.</summary>
    public void AddPooled() => Interlocked.Increment(ref _pooled);

    /// <summary>Connections to backends beyond one per client of plain HTTP.</summary>
    public int Surplus => Math.Max(0, Volatile.Read(ref _pooled) - Volatile.Read(ref _plain));

    /// <summary>A pooled connection was disposed.</summary>
    public void Unpool() => Interlocked.Decrement(ref _pooled);

    /// <summary>A connection turned out to carry plain HTTP.</summary>
    public void Decide()
    {
        Interlocked.Increment(ref _plain);
        Interlocked.Decrement(ref _undecided);
    }

    /// <summary>A connection has its backend, or has ended.</summary>
    /// <param name="wasPlain">Whether it carried plain HTTP.</param>
    public void Settle(bool wasPlain) => Interlocked.Decrement(ref wasPlain ? ref _plain : ref _undecided);

    /// <summary>A listener pauses.</summary>
    public void Hold() => Interlocked.Increment(ref _held);

    /// <summary>A listener has accepted its whole backlog, or is closed.</summary>
    public void LetGo()
    {
        if (Interlocked.Decrement(ref _held) > 0 || !Interlocked.Exchange(ref _isSaid, false)) return;
        try
        {
            LogFree(Volatile.Read(ref _open), _limit);
        }
#pragma warning disable CA1031 // A failing logger must not end a listener.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The failure cannot be reported anywhere.
        }
    }

    /// <summary>Reports a shortage: in the log, at most once a minute, and to subscribers that may free descriptors.</summary>
    public void SayShort()
    {
        if (_paceOfCalls.TryPass()) ThreadPool.UnsafeQueueUserWorkItem(static self => self.Short?.Invoke(), this, preferLocal: false);
        if (!_pace.TryPass()) return;
        Volatile.Write(ref _isSaid, true);
        try
        {
            LogShort(Volatile.Read(ref _open), _limit, Pledged, _reserve);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
#pragma warning restore CA1031
        {
            // As above.
        }
    }

    private bool Fits(int more, bool isAccept)
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _countedAt)) >= TimeBetweenCounts) Recount();
        if (IsBelow(more, isAccept)) return true;
        Recount();
        return IsBelow(more, isAccept) || (isAccept && IsNobodyServed && IsBelow(more, isAccept: false));
    }

    // Even a limit that barely suffices for the runtime serves one client at a time.
    private bool IsNobodyServed => Volatile.Read(ref _undecided) + Volatile.Read(ref _plain) == 0 && _tunnels() == 0;

    private bool IsBelow(int more, bool isAccept)
        => Volatile.Read(ref _open) + Volatile.Read(ref _opening) + more + (isAccept ? Pledged : 0) <= _limit - (isAccept ? _reserve : _reserve / 2);

    private void Recount()
    {
        if (_read is null) return;
        lock (_counting)
        {
            if (_time.GetElapsedTime(_countedAt) < _shortestWait) return;
            for (var left = MostCountsInARow; left > 0; left--)
            {
                var startedAt = _time.GetTimestamp();
                var before = Volatile.Read(ref _open);
                var count = _read();
                var during = Volatile.Read(ref _open) - before;
                var took = _time.GetElapsedTime(startedAt);
                (_shortestWait, _lastCountTook) = (CountingShare * (took < _lastCountTook ? took : _lastCountTook), took);
                Note(count with { Open = count.Open + during });
                if (during <= FewDuringACount) break;
            }
        }
    }

    private void Note(DescriptorCount count)
    {
        Volatile.Write(ref _open, count.Open);
        _limit = count.Limit;
        _reserve = Math.Min(Math.Max(SmallestReserve, count.Limit / ReservedShare), _mostReserved);
        Volatile.Write(ref _countedAt, _time.GetTimestamp());
    }

    [LoggerMessage(EventIds.DescriptorsShort, LogLevel.Warning,
        "Short of descriptors: of {Limit} (ulimit -n) {Open} are open, {Pledged} are kept for the backends of clients that are connected, "
        + "and {Reserve} in reserve. New connections wait in the backlog, open ones are served. "
        + "Raise the limit (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile in Docker)",
        EventName = "DescriptorsShort")]
    private partial void LogShort(int open, int limit, int pledged, int reserve);

    [LoggerMessage(EventIds.DescriptorsFree, LogLevel.Information,
        "Descriptors are available again ({Open} of {Limit} are open): all waiting connections are accepted",
        EventName = "DescriptorsFree")]
    private partial void LogFree(int open, int limit);
}

/// <summary>The process's descriptors.</summary>
/// <param name="Open">How many are open.</param>
/// <param name="Limit">How many may be (<c>RLIMIT_NOFILE</c>).</param>
internal readonly record struct DescriptorCount(int Open, int Limit);
