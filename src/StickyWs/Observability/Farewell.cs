namespace StickyWs.Observability;

/// <summary>
/// Which sides of a tunnel said farewell: whose last bytes were a WebSocket Close frame. The value of the log field and of the metric tag
/// <c>stickyws.farewell</c>. A tunnel that ended without one was cut off, however the connections were closed.
/// </summary>
internal static class Farewell
{
    public const string None = "none";
    public const string Client = "client";
    public const string Backend = "backend";
    public const string Both = "both";

    public static string Of(bool client, bool backend) => (client, backend) switch
    {
        (true, true) => Both,
        (true, false) => Client,
        (false, true) => Backend,
        _ => None,
    };
}
