namespace StickyWs.TestKit;

/// <summary>Facts about lanes.</summary>
public static class Lanes
{
    public static bool IsTls(this Lane lane) => lane is Lane.InsideTls or Lane.SniffedInsideTls;

    public static bool IsSniffed(this Lane lane) => lane is Lane.Raw or Lane.Portable or Lane.SniffedInsideTls;

    /// <summary>The value of <c>Transport:RawLane</c> that serves it; the pipeline's lanes take what is the default.</summary>
    public static string RawLaneMode(this Lane lane) => lane switch
    {
        Lane.Raw when OperatingSystem.IsLinux() => "On",
        Lane.Portable => "Off",
        _ => "Auto",
    };
}
