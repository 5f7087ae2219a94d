using System.Net;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// The clients that saw a backend fail in a way that a client's own request may cause, since the backend last succeeded. Failures seen by too few of
/// them, or for too short a time, are held back: one client, however hostile, is no evidence, nor are several in the moment between two successes of
/// others.
/// </summary>
internal sealed class Witnesses(int wanted, TimeSpan wantedFor, int mostHeldBack, TimeProvider time)
{
    // Time-outs of plain requests take minutes, so evidence of a hanging backend comes slowly.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, (long At, int Failures)> _seen = [];
    private volatile bool _isAny;
    private long _since;
    private bool _isConvinced;

    /// <summary>Notes a failure.</summary>
    /// <returns>How many failures count now: none until enough clients saw one for long enough, then all held-back ones.</returns>
    public int Note(IPAddress? client)
    {
        lock (_lock)
        {
            _isAny = true;
            if (_isConvinced) return 1;
            Forget();
            var now = time.GetTimestamp();
            if (_seen.Count == 0) _since = now;
            var key = Suspicion.KeyOf(client);
            _seen[key] = (now, _seen.GetValueOrDefault(key).Failures + 1);
            if (_seen.Count < wanted || time.GetElapsedTime(_since, now) < wantedFor) return 0;
            _isConvinced = true;
            var heldBack = _seen.Values.Sum(seen => (long)seen.Failures);
            return (int)Math.Min(heldBack, mostHeldBack);
        }
    }

    /// <summary>The backend succeeded: what was seen before was not the backend's state.</summary>
    /// <returns>Whether some of it was counted.</returns>
    public bool Clear()
    {
        if (!_isAny) return false;
        lock (_lock)
        {
            var wasConvinced = _isConvinced;
            _seen.Clear();
            (_isAny, _isConvinced) = (false, false);
            return wasConvinced;
        }
    }

    private void Forget()
    {
        foreach (var (client, seen) in _seen)
        {
            if (time.GetElapsedTime(seen.At) > Memory) _seen.Remove(client);
        }
    }
}
