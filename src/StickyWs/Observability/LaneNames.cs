namespace StickyWs.Observability;

/// <summary>The names of the lanes: the values of the log field and of the metric tag <c>stickyws.lane</c>.</summary>
internal static class LaneNames
{
    public const string Raw = "raw";
    public const string Portable = "portable";

    /// <summary>What stands in lines of plain requests where tunnels have their lane.</summary>
    public const string Http = "http";
}
