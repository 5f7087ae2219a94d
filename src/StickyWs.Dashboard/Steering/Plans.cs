using StickyWs.Dashboard.Answers;
using StickyWs.State;

namespace StickyWs.Dashboard.Steering;

/// <summary>What an action would do, so that whoever is about to do it is told before.</summary>
internal static class Plans
{
    /// <param name="pools">All pools.</param>
    /// <param name="isHit">Which backends are meant.</param>
    /// <param name="verb">What is to be done.</param>
    public static PlanAnswer Of(IReadOnlyList<PoolStatus> pools, Func<BackendStatus, bool> isHit, Verb verb)
    {
        BackendStatus[] hit = [.. pools.SelectMany(pool => pool.Backends).Where(isHit)];
        var open = hit.Sum(backend => Math.Max(0, backend.ActiveTunnels - backend.ActiveHandshakes));
        return new PlanAnswer(
            hit.Length,
            open,
            hit.Sum(backend => backend.ActiveRequests),
            hit.Sum(backend => backend.ActiveHandshakes),
            Told: verb == Verb.HandOff ? open : 0,
            Cut: verb == Verb.Cut ? open : 0,
            LeavesNone: verb is Verb.Undrain or Verb.Weight ? [] : [.. pools.Where(pool => IsLeftWithNone(pool, isHit)).Select(pool => pool.Name)]);
    }

    private static bool IsLeftWithNone(PoolStatus pool, Func<BackendStatus, bool> isHit)
        => pool.Backends.Any(isHit) && !pool.Backends.Any(backend => backend.IsEligible && !isHit(backend));
}
