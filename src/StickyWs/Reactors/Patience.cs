namespace StickyWs.Reactors;

/// <summary>
/// How many completions a turn waits for. Under load few large turns are far cheaper than many small ones: each is one switch to the kernel and back,
/// and wakes the peers of its sends once. So a turn asks for some, within a time that nobody notices, and for more as long as it gets them (additive
/// increase, multiplicative decrease); where they do not come in time there is no such load, and it is long before it asks again. Tunnels that end,
/// or begin, speak against waiting: then somebody is idle until he is answered.
/// </summary>
internal sealed class Patience
{
    /// <summary>Microseconds that a turn waits at most for what it asks for.</summary>
    public const long Longest = 100;

    private const uint Fewest = 12;
    private const uint Most = 48;
    private const int ShortestRest = 16;
    private const int LongestRest = 2048;
    private const int RestBehindAnEnd = 64;

    private uint _asked;
    private int _rest;
    private int _nextRest = ShortestRest;

    /// <summary>For how many completions the next turn is to wait; 1 for whatever comes, and then as long as it takes.</summary>
    public uint Wanted { get; private set; } = 1;

    /// <summary>Takes note of what a turn that waited for <see cref="Wanted"/> got.</summary>
    /// <param name="received">Pieces that were received.</param>
    /// <param name="hasOthers">Whether there was anything else, such as an end.</param>
    public void Note(int received, bool hasOthers)
    {
        if (hasOthers) Rest(Math.Max(_rest, RestBehindAnEnd));
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
