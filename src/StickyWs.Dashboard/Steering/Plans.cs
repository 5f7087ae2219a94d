using StickyWs.Dashboard.Answers;
using StickyWs.State;

namespace StickyWs.Dashboard.Steering;

/// <summary>What an action would do, so that whoever is about to do it is told before.</summary>
internal static class Plans
{
    /// <param name="known">All backends that can be meant.</param>
    /// <param name="pools">The pools of the configuration.</param>
    /// <param name="isHit">Which backends are meant.</param>
    /// <param name="verb">What is to be done.</param>
    public static PlanAnswer Of(IReadOnlyList<BackendStatus> known, IReadOnlyList<string> pools, Func<BackendStatus, bool> isHit, Verb verb)
    {
        BackendStatus[] hit = [.. known.Where(isHit)];
        var open = hit.Sum(backend => Math.Max(0, backend.ActiveTunnels - backend.ActiveHandshakes));
        return new PlanAnswer(
            hit.Length,
            open,
            hit.Sum(backend => backend.ActiveRequests),
            hit.Sum(backend => backend.ActiveHandshakes),
            Told: verb == Verb.HandOff ? open : 0,
            Cut: verb == Verb.Cut ? open : 0,
            LeavesNone: verb is Verb.Undrain or Verb.Weight ? [] : [.. pools.Where(pool => IsLeftWithNone(pool, known, isHit))]);
    }

    private static bool IsLeftWithNone(string pool, IReadOnlyList<BackendStatus> known, Func<BackendStatus, bool> isHit)
    {
        BackendStatus[] mine = [.. known.Where(backend => backend.Pool.Equals(pool, StringComparison.OrdinalIgnoreCase))];
        return mine.Any(isHit) && !mine.Any(backend => backend.IsEligible && !isHit(backend));
    }
}
