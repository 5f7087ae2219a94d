using System.Globalization;
using StickyWs.Access;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Turns the lines of what has ended into what is shown of it.</summary>
internal static class LineReader
{
    // A handshake that the application ended, as by its request time-outs.
    private const string ByApplication = "Application";

    public static EndedTunnel ReadEnd(AccessLine line) => new()
    {
        At = line.EndedAt,
        Id = line.ConnectionId,
        Pool = line.Pool,
        Backend = line.Backend!,
        Lane = line.Lane,
        Reason = Enum.Parse<EndReason>(line.EndReason!),
        Farewell = line.Farewell!,
        ClientCloseCode = Some(line.ClientCloseCode),
        BackendCloseCode = Some(line.BackendCloseCode),
        OwnCloseCode = Some(line.OwnCloseCode),
        Client = StateReader.ToPublic(line.Client),
        Upstream = StateReader.ToPublic(line.Upstream),
        ForwardedClient = line.ForwardedClient,
        Age = line.Duration ?? default,
        Handshake = line.Handshake,
        BytesToBackend = line.BytesToBackend ?? 0,
        BytesToClient = line.BytesToClient ?? 0,
        Method = Safe(line.Method),
        Host = Safe(line.Host),
        Path = Safe(line.Path),
        TlsVersion = line.TlsVersion,
        ChosenBy = line.ChosenBy,
        PinOutcome = line.Pin,
        TraceId = TraceIdOf(line.TraceId),
    };

    public static RefusedRequest ReadRefusal(AccessLine line) => new()
    {
        At = line.EndedAt,
        Id = line.ConnectionId,
        IsHandshake = line.Event == AccessEvent.Handshake,
        Pool = line.Pool,
        Backend = line.Backend,
        Lane = line.Lane,
        Status = Some(line.Status),
        Cause = line.Outcome ?? ByApplication,
        Client = StateReader.ToPublic(line.Client),
        ForwardedClient = line.ForwardedClient,
        Duration = line.Handshake ?? line.Duration,
        Method = Safe(line.Method),
        Host = Safe(line.Host),
        Path = Safe(line.Path),
        ChosenBy = line.ChosenBy,
        PinOutcome = line.Pin,
        TraceId = TraceIdOf(line.TraceId),
    };

    /// <summary>The line of a tunnel of which nobody had wanted to know when it opened.</summary>
    public static AccessLine LineOf(Tunnel tunnel, TimeProvider time) => new()
    {
        Event = AccessEvent.Tunnel,
        IsLogged = false,
        Client = tunnel.Tuple,
        Pool = tunnel.Backend.Pool,
        Backend = tunnel.Backend.Name,
        Lane = tunnel.Lane,
        Duration = time.GetElapsedTime(tunnel.OpenedAt),
        BytesToBackend = tunnel.BytesToBackend,
        BytesToClient = tunnel.BytesToClient,
        EndReason = tunnel.EndReason.ToString(),
        Farewell = tunnel.Farewell,
        ClientCloseCode = tunnel.ClientCloseCode,
        BackendCloseCode = tunnel.BackendCloseCode,
        OwnCloseCode = tunnel.OwnCloseCode,
        ConnectionId = tunnel.ConnectionId,
    };

    public static string? TraceIdOf(UInt128 id) => id == default ? null : id.ToString("x32", CultureInfo.InvariantCulture);

    public static int? Some(int number) => number == 0 ? null : number;

    private static string? Safe(string? text) => text is null ? null : AccessText.Of(text);
}
