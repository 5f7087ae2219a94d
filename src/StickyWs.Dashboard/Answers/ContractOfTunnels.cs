using StickyWs.Observability;

namespace StickyWs.Dashboard.Answers;

// What the API answers of many tunnels together, and of what has ended. See Contract.cs.
internal sealed record FlowsAnswer(DateTimeOffset At, int Open, int Fitting, IReadOnlyList<FlowAnswer> Flows);

internal sealed record FlowAnswer(
    string? Listener,
    string Pool,
    string Backend,
    string Lane,
    string? Kind,
    string Tls,
    int Tunnels,
    long BytesToBackend,
    long BytesToClient);

internal sealed record EndsAnswer(DateTimeOffset At, int Kept, int Fitting, int Shown, IReadOnlyList<EndAnswer> Ends);

internal sealed record EndAnswer(
    DateTimeOffset At,
    string Id,
    string Pool,
    string Backend,
    string Lane,
    EndReason Reason,
    string Farewell,
    int? ClientCloseCode,
    int? BackendCloseCode,
    int? OwnCloseCode,
    TupleAnswer? Client,
    TupleAnswer? Upstream,
    string? ForwardedClient,
    DateTimeOffset OpenedAt,
    double AgeSeconds,
    double? HandshakeSeconds,
    long BytesToBackend,
    long BytesToClient,
    string? Method,
    string? Host,
    string? Path,
    string? TlsVersion,
    string? ChosenBy,
    string? PinOutcome,
    string? TraceId);

internal sealed record RefusalsAnswer(DateTimeOffset At, int Kept, int Fitting, int Shown, IReadOnlyList<RefusalAnswer> Refusals);

internal sealed record RefusalAnswer(
    DateTimeOffset At,
    string Id,
    string Kind,
    string Pool,
    string? Backend,
    string Lane,
    int? Status,
    string Cause,
    TupleAnswer? Client,
    string? ForwardedClient,
    double? Seconds,
    string? Method,
    string? Host,
    string? Path,
    string? ChosenBy,
    string? PinOutcome,
    string? TraceId);
