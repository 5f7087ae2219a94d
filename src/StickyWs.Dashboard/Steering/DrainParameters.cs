using StickyWs.Dashboard.Reading;
using StickyWs.Draining;

namespace StickyWs.Dashboard.Steering;

/// <summary>How a drain goes, and how long its end is waited for; or what else an action needs.</summary>
internal sealed class DrainParameters
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestOver = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestDeadline = TimeSpan.FromDays(7);
    private const string Configured = "configured";

    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(5);

    public DrainParameters(Parameters query, Verb verb)
    {
        IsWaiting = query.Choice("until", false, ("empty", true));
        Timeout = query.Duration("timeout", LongestWait) ?? Wait;
        if (!IsWaiting && query.Text("timeout") is not null) throw query.Bad("timeout", "use it together with until=empty");
        if (verb == Verb.HandOff) Settings = SettingsOf(query);
        if (verb == Verb.Weight) Weight = WeightOf(query);
        IsDryRun = query.Flag("dryRun");
        if (IsDryRun && IsWaiting) throw query.Bad("until", "leave it out where dryRun is");
    }

    /// <summary>Whether the answer comes when all is empty, or the time is over.</summary>
    public bool IsWaiting { get; }

    public TimeSpan Timeout { get; }

    /// <summary>What the request sets of a hand-off; <see langword="null"/> for nothing.</summary>
    public HandOffSettings? Settings { get; }

    /// <summary>Whether only to say what would be.</summary>
    public bool IsDryRun { get; }

    /// <summary>The weight; <see langword="null"/> for what the configuration says.</summary>
    public int? Weight { get; }

    /// <summary>The parameters of all verbs together.</summary>
    public static string[] Known { get; } = ["until", "timeout", "over", "deadline", "code", "reason", "weight", "dryRun"];

    /// <summary>The parameters that a verb has.</summary>
    public static string[] KnownOf(Verb verb) => verb switch
    {
        Verb.Undrain => ["dryRun"],
        Verb.Weight => ["weight", "dryRun"],
        Verb.HandOff => ["until", "timeout", "over", "deadline", "code", "reason", "dryRun"],
        _ => ["until", "timeout", "dryRun"],
    };

    private static int? WeightOf(Parameters query)
    {
        if (Configured.Equals(query.Text("weight"), StringComparison.OrdinalIgnoreCase)) return null;
        return query.Number("weight", 0, 1, 256) is var weight and > 0 ? weight : throw query.Bad("weight", "use a number from 1 to 256, or configured");
    }

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
