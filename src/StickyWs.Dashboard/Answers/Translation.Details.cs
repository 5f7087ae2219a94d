using System.Runtime.InteropServices;
using StickyWs.State;

namespace StickyWs.Dashboard.Answers;

internal static partial class Translation
{
    private const string Handshake = "handshake";
    private const string Request = "request";

    /// <param name="process">The process.</param>
    /// <param name="now">The moment.</param>
    /// <param name="listeners">Where it listens.</param>
    public static ProcessAnswer ToAnswer(this ProcessStatus process, DateTimeOffset now, IReadOnlyList<string> listeners) => new(
        process.Version,
        process.StartedAt,
        Math.Max(0, (now - process.StartedAt).TotalSeconds),
        Environment.MachineName,
        Environment.ProcessId,
        RuntimeInformation.FrameworkDescription,
        new LanesAnswer(process.HasRawLane, process.ReactorKind, process.Obstacle, process.HasRawTls),
        [.. process.Reactors.Select(reactor => new ReactorAnswer(reactor.Number, reactor.Sockets, reactor.IsAiling))],
        listeners);

    public static FlowAnswer ToAnswer(this TunnelFlow flow) => new(
        flow.Listener?.ToString(),
        flow.Pool,
        flow.Backend,
        flow.Lane,
        flow.ReactorKind,
        flow.Tls,
        flow.Tunnels,
        flow.BytesToBackend,
        flow.BytesToClient);

    public static EndAnswer ToAnswer(this EndedTunnel end) => new(
        end.At,
        end.Id,
        end.Pool,
        end.Backend,
        end.Lane,
        end.Reason,
        end.Farewell,
        end.ClientCloseCode,
        end.BackendCloseCode,
        end.OwnCloseCode,
        end.Client?.ToAnswer(),
        end.Upstream?.ToAnswer(),
        end.ForwardedClient?.ToString(),
        end.At - end.Age,
        end.Age.TotalSeconds,
        end.Handshake?.TotalSeconds,
        end.BytesToBackend,
        end.BytesToClient,
        end.Method,
        end.Host,
        end.Path,
        end.TlsVersion,
        end.ChosenBy,
        end.PinOutcome,
        end.TraceId);

    public static RefusalAnswer ToAnswer(this RefusedRequest refused) => new(
        refused.At,
        refused.Id,
        refused.IsHandshake ? Handshake : Request,
        refused.Pool,
        refused.Backend,
        refused.Lane,
        refused.Status,
        refused.Cause,
        refused.Client?.ToAnswer(),
        refused.ForwardedClient?.ToString(),
        refused.Duration?.TotalSeconds,
        refused.Method,
        refused.Host,
        refused.Path,
        refused.ChosenBy,
        refused.PinOutcome,
        refused.TraceId);

    private static ConvictionAnswer ToAnswer(this BackendConviction conviction)
        => new(conviction.At, conviction.By, conviction.Cause, conviction.IsHearsay, conviction.Until);

    private static ProbeAnswer ToAnswer(this ProbeStatus probe) => new(probe.At, probe.Failure is null, probe.Duration.TotalSeconds, probe.Failure);

    private static RecentAnswer ToAnswer(this RecentWork work) => new(
        work.Span.TotalSeconds,
        work.Handshakes.ToAnswer(work.FailedHandshakes),
        work.Requests.ToAnswer(work.FailedRequests),
        work.Opened,
        work.Ended,
        work.Kept,
        work.Moved,
        work.Held,
        work.New);

    private static TimesAnswer ToAnswer(this RecentTimes times, long failed)
        => new(times.Count, failed, times.Median?.TotalSeconds, times.Percentile99?.TotalSeconds);
}
