using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Steering;

/// <summary>The requests that wait until something is empty: each may take up to a day, so there are only so many at a time.</summary>
internal sealed class Waits(StickyWsDashboardOptions options)
{
    private int _count;

    /// <summary>Takes a place, which is given back by disposing of the result.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public IDisposable Enter()
    {
        var place = new Place(this);
        if (Interlocked.Increment(ref _count) <= options.MaxWaits) return place;
        place.Dispose();
        throw new ProblemException(Problem.Busy(
            "MaxWaits allows no more requests that wait, so nothing was done: ask without until=empty, or try again later."));
    }

    private sealed class Place(Waits waits) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref waits._count);
    }
}
