using StickyWs.Dashboard.Reading;
using StickyWs.Draining;

namespace StickyWs.Dashboard.Steering;

/// <summary>How a drain goes, and how long its end is waited for.</summary>
internal sealed class DrainParameters
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestOver = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestDeadline = TimeSpan.FromDays(7);
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(5);

    public DrainParameters(Parameters query, Verb verb)
    {
        IsWaiting = query.Choice("until", false, ("empty", true));
        Timeout = query.Duration("timeout", LongestWait) ?? Wait;
        if (!IsWaiting && query.Text("timeout") is not null) throw query.Bad("timeout", "use it together with until=empty");
        if (verb == Verb.HandOff) Settings = SettingsOf(query);
    }

    /// <summary>Whether the answer comes when all is empty, or the time is over.</summary>
    public bool IsWaiting { get; }

    public TimeSpan Timeout { get; }

    /// <summary>What the request sets of a hand-off; <see langword="null"/> for nothing.</summary>
    public HandOffSettings? Settings { get; }

    /// <summary>The parameters that a verb has.</summary>
    public static string[] KnownOf(Verb verb) => verb switch
    {
        Verb.Undrain => [],
        Verb.HandOff => ["until", "timeout", "over", "deadline", "code", "reason"],
        _ => ["until", "timeout"],
    };

    private static HandOffSettings? SettingsOf(Parameters query)
    {
        var settings = new HandOffSettings
        {
            Over = query.Duration("over", LongestOver),
            Deadline = "none".Equals(query.Text("deadline"), StringComparison.OrdinalIgnoreCase)
                ? System.Threading.Timeout.InfiniteTimeSpan
                : query.Duration("deadline", LongestDeadline),
            CloseCode = query.Text("code") is null ? null : query.Number("code", 0, 1000, 4999),
            CloseReason = query.Text("reason"),
        };
        return settings is { Over: null, Deadline: null, CloseCode: null, CloseReason: null } ? null : settings;
    }
}
