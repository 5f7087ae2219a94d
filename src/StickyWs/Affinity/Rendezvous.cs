using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// Weighted rendezvous hashing (Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates"; weights by the logarithm method). Every
/// instance finds the same backend for a key without communicating, each backend gets its share, and when one is added or removed only its own keys
/// move.
/// </summary>
internal static class Rendezvous
{
    /// <summary>The index of a key's backend, or -1 if there is none.</summary>
    public static int Pick(PinKey key, ReadOnlySpan<Backend> backends)
    {
        var best = -1;
        var bestScore = double.NegativeInfinity;
        for (var i = 0; i < backends.Length; i++)
        {
            var score = Score(key, backends[i]);
            if (score <= bestScore) continue;
            best = i;
            bestScore = score;
        }

        return best;
    }

    // -weight / ln(u), u uniform in (0, 1): the chance to score highest is proportional to the weight. 52 bits, because with 53 the added half would round
    // the highest value up to 1.
    private static double Score(PinKey key, Backend backend)
    {
        var uniform = ((Mix(key.Low ^ Mix(key.High ^ backend.Seed)) >> 12) + 0.5) / (1UL << 52);
        return -backend.Weight / Math.Log(uniform);
    }

    // The finalizer of SplitMix64: every bit of the input changes half of the output.
    private static ulong Mix(ulong x)
    {
        x ^= x >> 30;
        x *= 0xBF58476D1CE4E5B9;
        x ^= x >> 27;
        x *= 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
