namespace StickyWs.TestKit;

/// <summary>Facts about lanes.</summary>
public static class Lanes
{
    public static bool IsTls(this Lane lane) => lane is Lane.InsideTls or Lane.SniffedInsideTls || lane.IsRawTls();

    public static bool IsRawTls(this Lane lane) => lane is Lane.RawTls or Lane.RawTlsEpoll or Lane.RawTlsKept;

    /// <summary>Whether it uses the raw lane on Linux.</summary>
    public static bool IsRaw(this Lane lane) => lane is Lane.Raw or Lane.RawEpoll or Lane.RawInline || lane.IsRawTls();

    public static bool IsSniffed(this Lane lane) => lane.IsRaw() || lane is Lane.Portable or Lane.SniffedInsideTls;

    /// <summary>What the metrics call it.</summary>
    public static string Tag(this Lane lane) => lane.IsRaw() && OperatingSystem.IsLinux() ? "raw" : "portable";

    /// <summary>Every lane between which what chooses a backend can tell: the reactors are below it.</summary>
    public static Lane[] AboveReactors { get; } =
        [.. Enum.GetValues<Lane>().Where(lane => lane is not (Lane.RawEpoll or Lane.RawInline or Lane.RawTlsEpoll or Lane.RawTlsKept))];

    /// <summary>Sets the transport that serves a lane.</summary>
    public static LiveSettings Serving(this LiveSettings settings, Lane lane)
        => settings.With("Transport:RawLane", lane.RawLaneMode()).With("Transport:Reactor", lane.Reactor())
            .With("Transport:Tls", lane.Tls())
            .With("Transport:UnsafePreferInlineScheduling", lane == Lane.RawInline ? "true" : "false");

    /// <summary>What <c>Transport:Reactor</c> says.</summary>
    public static string Reactor(this Lane lane) => lane is Lane.RawEpoll or Lane.RawTlsEpoll ? "Epoll" : "Auto";

    /// <summary>What <c>Transport:Tls</c> says. On a plain listener it decides how backends with TLS are reached.</summary>
    public static string Tls(this Lane lane) => lane switch
    {
        Lane.Raw or Lane.RawTls or Lane.RawTlsEpoll => "Auto",
        Lane.RawEpoll or Lane.RawTlsKept => "OpenSsl",
        _ => "SslStream",
    };

    /// <summary>What <c>Transport:RawLane</c> says in a lane; those of the pipeline take the default.</summary>
    public static string RawLaneMode(this Lane lane) => lane switch
    {
        _ when lane.IsRaw() && OperatingSystem.IsLinux() => "On",
        Lane.Portable => "Off",
        _ => "Auto",
    };
}
