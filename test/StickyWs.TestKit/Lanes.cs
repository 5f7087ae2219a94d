namespace StickyWs.TestKit;

/// <summary>Facts about lanes.</summary>
public static class Lanes
{
    public static bool IsTls(this Lane lane) => lane is Lane.InsideTls or Lane.SniffedInsideTls;

    public static bool IsSniffed(this Lane lane) => lane is Lane.Raw or Lane.RawEpoll or Lane.RawInline or Lane.Portable or Lane.SniffedInsideTls;

    /// <summary>What the metrics call it.</summary>
    public static string Tag(this Lane lane) => lane is Lane.Raw or Lane.RawEpoll or Lane.RawInline && OperatingSystem.IsLinux() ? "raw" : "portable";

    /// <summary>Every lane between which what chooses a backend can tell: the reactors are below it.</summary>
    public static Lane[] AboveReactors { get; } = [.. Enum.GetValues<Lane>().Where(lane => lane is not (Lane.RawEpoll or Lane.RawInline))];

    /// <summary>Sets the transport that serves a lane.</summary>
    public static LiveSettings Serving(this LiveSettings settings, Lane lane)
        => settings.With("Transport:RawLane", lane.RawLaneMode()).With("Transport:Reactor", lane.Reactor())
            .With("Transport:UnsafePreferInlineScheduling", lane == Lane.RawInline ? "true" : "false");

    /// <summary>What <c>Transport:Reactor</c> says.</summary>
    public static string Reactor(this Lane lane) => lane == Lane.RawEpoll ? "Epoll" : "Auto";

    /// <summary>What <c>Transport:RawLane</c> says in a lane; those of the pipeline take the default.</summary>
    public static string RawLaneMode(this Lane lane) => lane switch
    {
        Lane.Raw or Lane.RawEpoll or Lane.RawInline when OperatingSystem.IsLinux() => "On",
        Lane.Portable => "Off",
        _ => "Auto",
    };
}
