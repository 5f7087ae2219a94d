namespace StickyWs.Backends;

/// <summary>
/// The clients of a pool that were told to go so that its backends are evenly used, and have not come back: as many new sessions go to the emptiest
/// backend, whatever the policy would say. Which client it is that comes does not matter, only how many.
/// </summary>
internal sealed class Returns
{
    private int _expected;

    public int Expected => Volatile.Read(ref _expected);

    public void Expect() => Interlocked.Increment(ref _expected);

    /// <summary>Whether the next new session is one of them.</summary>
    public bool TryTake()
    {
        var seen = Expected;
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref _expected, seen - 1, seen);
            if (before == seen) return true;
            seen = before;
        }

        return false;
    }

    /// <summary>No more than so many are expected from now on: the others have had their time.</summary>
    /// <returns>How many of these there were.</returns>
    public int Limit(int most)
    {
        var seen = Expected;
        while (seen > most)
        {
            var before = Interlocked.CompareExchange(ref _expected, most, seen);
            if (before == seen) return seen - most;
            seen = before;
        }

        return 0;
    }
}
