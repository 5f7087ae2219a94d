namespace StickyWs.Backends;

/// <summary>
/// The order in which backends get their turns. In a cycle of S turns, turn k of a backend with w turns opens at k*S/w and is due at (k+1)*S/w; each
/// turn goes to the open one that is due first. No backend gets two turns in a row unless it has more than half of them.
/// </summary>
internal static class Rotation
{
    /// <summary>One cycle, the shortest that gives every weight its exact share: indexes into <paramref name="weights"/>.</summary>
    /// <param name="weights">Each at least 1.</param>
    public static int[] Of(int[] weights)
    {
        var divisor = weights.Aggregate(0, Gcd);
        var shares = Array.ConvertAll(weights, weight => weight / divisor);
        var given = new int[shares.Length];
        var cycle = new int[shares.Sum()];
        for (var turn = 0; turn < cycle.Length; turn++)
        {
            var last = turn == 0 ? -1 : cycle[turn - 1];
            var next = First(shares, given, turn, cycle.Length, last);
            cycle[turn] = next < 0 ? last : next;
            given[cycle[turn]]++;
        }

        return cycle;
    }

    // The index whose open turn is due first, the heavier of equals, or -1 if none but the one to skip has an open turn.
    private static int First(int[] shares, int[] given, int turn, int length, int passOver)
    {
        var best = -1;
        var bestDue = double.PositiveInfinity;
        for (var place = 0; place < shares.Length; place++)
        {
            if (place == passOver || given[place] == shares[place] || (long)given[place] * length / shares[place] > turn) continue;
            var due = (given[place] + 1.0) * length / shares[place];
            if (due > bestDue || (due == bestDue && shares[place] <= shares[best])) continue;
            best = place;
            bestDue = due;
        }

        return best;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
