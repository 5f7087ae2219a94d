namespace StickyWs.Dashboard.Answers;

// What the API answers of the process and of how backends are doing. See Contract.cs.
internal sealed record SteeringAnswer(bool Allowed, string? Why);

internal sealed record ProcessAnswer(
    string Version,
    DateTimeOffset StartedAt,
    double UptimeSeconds,
    string Machine,
    int ProcessId,
    string Runtime,
    LanesAnswer Lanes,
    IReadOnlyList<ReactorAnswer> Reactors,
    IReadOnlyList<string> Listeners);

internal sealed record LanesAnswer(bool Raw, string? Kind, string? Obstacle, bool? Tls);

internal sealed record ReactorAnswer(int Number, int Sockets, bool Ailing);

internal sealed record ConvictionAnswer(DateTimeOffset At, string By, string Cause, bool Hearsay, DateTimeOffset? Until);

internal sealed record ProbeAnswer(DateTimeOffset At, bool Ok, double Seconds, string? Why);

internal sealed record RecentAnswer(
    double Seconds, TimesAnswer Handshakes, TimesAnswer Requests, long Opened, long Ended, long Kept, long Moved, long Held, long New);

internal sealed record TimesAnswer(long Count, long Failed, double? P50, double? P99);
