namespace StickyWs.Reactors;

/// <summary>
/// How many completions a turn waits for. Under load a few large turns are far cheaper than many small ones: each turn costs one switch into the
/// kernel and wakes the peers of its sends once. So a turn waits for a batch, for at most <see cref="Longest"/>. The batch target grows while it is
/// met (additive increase, multiplicative decrease); otherwise batching pauses, longer each time. A lone message never waits. Tunnels that open or
/// close pause batching too: somebody is waiting for an answer then.
/// </summary>
internal sealed class Patience
{
    /// <summary>The longest that a turn waits for its batch, in microseconds.</summary>
    public const long Longest = 100;

    private const uint Fewest = 12;
    private const uint Most = 48;
    private const int ShortestRest = 16;
    private const int LongestRest = 2048;
    private const int RestAfterAnEnd = 64;

    private uint _asked;
    private int _rest;
    private int _nextRest = ShortestRest;

    /// <summary>The number of completions that the next turn waits for. With 1 it takes whatever comes, and waits without this limit.</summary>
    public uint Wanted { get; private set; } = 1;

    /// <summary>Adjusts to what a turn that waited for <see cref="Wanted"/> received.</summary>
    /// <param name="received">The number of pieces received.</param>
    /// <param name="hasOthers">Whether there were other completions, such as the end of a stream.</param>
    public void Note(int received, bool hasOthers)
    {
        if (hasOthers) Rest(Math.Max(_rest, RestAfterAnEnd));
        else if (Wanted == 1) _rest--;
        else if (received >= Wanted) (_asked, _nextRest) = (Math.Min(Most, Wanted + (Wanted / 4) + 1), ShortestRest);
        else if ((_asked = Wanted / 2) < Fewest) Rest(NextRest());
        Wanted = _rest > 0 || received == 0 ? 1 : Math.Max(Fewest, _asked);
    }

    private void Rest(int turns) => (_asked, _rest) = (0, turns);

    private int NextRest()
    {
        var rest = _nextRest;
        _nextRest = Math.Min(LongestRest, rest * 2);
        return rest;
    }
}
