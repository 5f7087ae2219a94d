namespace StickyWs.TestKit;

/// <summary>Facts about lanes.</summary>
public static class Lanes
{
    public static bool IsTls(this Lane lane) => lane is Lane.InsideTls or Lane.SniffedInsideTls;

    public static bool IsSniffed(this Lane lane) => lane is Lane.Raw or Lane.RawEpoll or Lane.Portable or Lane.SniffedInsideTls;

    /// <summary>Every lane between which what chooses a backend can tell: the reactors are below it.</summary>
    public static Lane[] AboveReactors { get; } = [.. Enum.GetValues<Lane>().Where(lane => lane != Lane.RawEpoll)];

    /// <summary>Sets the transport that serves a lane.</summary>
    public static LiveSettings Serving(this LiveSettings settings, Lane lane)
        => settings.With("Transport:RawLane", lane.RawLaneMode()).With("Transport:Reactor", lane == Lane.RawEpoll ? "Epoll" : "Auto");

    // The pipeline's lanes take what is the default.
    private static string RawLaneMode(this Lane lane) => lane switch
    {
        Lane.Raw or Lane.RawEpoll when OperatingSystem.IsLinux() => "On",
        Lane.Portable => "Off",
        _ => "Auto",
    };
}
