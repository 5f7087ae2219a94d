using StickyWs.Backends;

namespace StickyWs.Draining;

/// <summary>How often backends, by name, left those that are in use. Used by one thread at a time.</summary>
internal sealed class Absences(TimeProvider time)
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, (long At, int Times)> _left = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>These have left.</summary>
    public void Note(IEnumerable<string> names)
    {
        var now = time.GetTimestamp();
        foreach (var (name, left) in _left)
        {
            if (time.GetElapsedTime(left.At, now) >= Memory) _left.Remove(name);
        }

        foreach (var name in names) _left[name] = (now, _left.GetValueOrDefault(name).Times + 1);
    }

    /// <summary>How often that one of these left that did so most often, without a pause of ten minutes.</summary>
    public int MostOf(BackendSet backends)
    {
        var most = 0;
        foreach (var backend in backends.Span)
        {
            if (_left.TryGetValue(backend.Name, out var left) && time.GetElapsedTime(left.At) < Memory) most = Math.Max(most, left.Times);
        }

        return most;
    }
}
