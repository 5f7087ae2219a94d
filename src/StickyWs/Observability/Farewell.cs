namespace StickyWs.Observability;

/// <summary>
/// Which sides of a tunnel said farewell: sent a WebSocket Close frame. The value of the log field and of the metric tag <c>stickyws.farewell</c>. A
/// tunnel that ended without one was cut off, however the connections were closed; where frames are not followed, that is unknown.
/// </summary>
internal static class Farewell
{
    public const string None = "none";
    public const string Client = "client";
    public const string Backend = "backend";
    public const string Both = "both";
    public const string Unknown = "unknown";

    /// <param name="client">Whether the client sent a Close frame; <see langword="null"/> if its frames are not followed.</param>
    /// <param name="backend">The same of the backend's.</param>
    public static string Of(bool? client, bool? backend) => (client, backend) switch
    {
        (true, true) => Both,
        (true, _) => Client,
        (_, true) => Backend,
        (false, false) => None,
        _ => Unknown,
    };
}
