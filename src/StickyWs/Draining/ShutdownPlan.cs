using StickyWs.Configuration;

namespace StickyWs.Draining;

/// <summary>How the host's shutdown time is used.</summary>
/// <param name="Over">The time over which tunnels are told to go.</param>
/// <param name="Cut">When those that are left are aborted: a little before the host's time is over.</param>
/// <param name="CloseTimeout">The most that a tunnel that was told last can wait for its peers' Close frames.</param>
internal readonly record struct ShutdownPlan(TimeSpan Over, TimeSpan Cut, TimeSpan CloseTimeout)
{
    /// <summary>What is taken for a host that sets no limit.</summary>
    public static TimeSpan Endless { get; } = TimeSpan.FromSeconds(30);

    // Few tunnels need not be spread far: nobody is troubled by so many reconnects a second.
    private const int Pace = 10;

    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LeastToClose = TimeSpan.FromSeconds(1);

    /// <summary>How long everything is still served: at most half of the host's time, since the rest of the stop needs some, too.</summary>
    public static TimeSpan DelayOf(ShutdownOptions shutdown, TimeSpan budget)
        => budget == Timeout.InfiniteTimeSpan ? shutdown.ReadinessDelay : Least(shutdown.ReadinessDelay, budget / 2);

    /// <param name="shutdown">The options.</param>
    /// <param name="left">What is left of the host's time.</param>
    /// <param name="tunnels">How many tunnels there are.</param>
    public static ShutdownPlan For(ShutdownOptions shutdown, TimeSpan left, int tunnels)
    {
        var margin = Least(LongestMargin, left / 10);
        var least = margin + LeastToClose; // Who is told last must have time to say its own Close before the cut.
        var reserve = Least(Most(shutdown.Reserve, least), left / 2); // Also of a short time, half is for goodbyes.
        var over = Least(left - reserve, TimeSpan.FromSeconds((double)tunnels / Pace));
        return new ShutdownPlan(over, left - margin, Most(left - margin - over, TimeSpan.Zero));
    }

    private static TimeSpan Most(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
