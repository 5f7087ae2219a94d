using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// What a backend does for a handshake, as time: looking up a user, say. Once it is slow, handshakes are answered one after the other, one in each
/// interval. All but <see cref="Slow"/> and <see cref="Most"/> is for the backend's thread.
/// </summary>
internal sealed class HandshakeGate(Epoll epoll)
{
    /// <summary>The key of its timer.</summary>
    public const int Timer = -1;

    private readonly Queue<BackendConnection> _waiting = [];
    private volatile IntervalTimer? _timer;
    private volatile int _most;
    private int _count;

    /// <summary>Whether handshakes have to wait.</summary>
    public bool IsSlow => _timer is not null;

    /// <summary>How many waited at most, the next one included.</summary>
    public int Most => _most;

    /// <summary>Is slow from now on; once.</summary>
    public void Slow(TimeSpan interval)
    {
        var timer = new IntervalTimer(interval);
        _timer = timer;
        epoll.Add(timer.File, Epoll.Readable, Timer);
    }

    public void Enter(BackendConnection connection)
    {
        _waiting.Enqueue(connection);
        _count++;
        if (_count > _most) _most = _count;
    }

    /// <summary>One that waits has ended.</summary>
    public void Leave() => _count--;

    /// <summary>Answers those whose time has come.</summary>
    public void Advance()
    {
        for (var due = _timer!.Expired(); due > 0 && _waiting.TryDequeue(out var next);)
        {
            if (!next.TryAnswer()) continue;
            _count--;
            due--;
        }
    }
}
