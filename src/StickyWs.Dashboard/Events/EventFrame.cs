using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using StickyWs.Dashboard.Answers;
using StickyWs.State;

namespace StickyWs.Dashboard.Events;

/// <summary>One event as it goes over the wire (WHATWG HTML, server-sent events). JSON has no line breaks, so its data is one line.</summary>
/// <param name="Bytes">The event; nothing to only wake a reader.</param>
/// <param name="Kind">To whom it is of interest.</param>
internal readonly record struct EventFrame(ReadOnlyMemory<byte> Bytes, EventKind Kind = EventKind.State)
{
    /// <summary>Says that the stream is alive, and finds out whether its reader is.</summary>
    public static EventFrame HeartBeat { get; } = new(": alive\n\n"u8.ToArray());

    public static EventFrame Wake { get; }

    public static EventFrame Of(long id, StateChange change, bool isReadOnly) => change switch
    {
        ConfigurationChanged { Snapshot: var state } => Of(id, "configuration",
            new ConfigurationEvent(change.At, state.ToAnswer(isReadOnly)), AnswerContext.Default.ConfigurationEvent),
        BackendChanged backend => Of(id, "backend",
            new BackendEvent(change.At, backend.Before, backend.Backend.ToAnswer()), AnswerContext.Default.BackendEvent),
        BackendDrained { Drain: var drain } => Of(id, "drained", new DrainedEvent(change.At, drain.ToAnswer()), AnswerContext.Default.DrainedEvent),
        PoolChanged { Pool: var pool } => Of(id, "pool", new PoolEvent(change.At, pool.ToAnswer()), AnswerContext.Default.PoolEvent),
        TunnelOpened { Tunnel: var tunnel } => Of(id, "tunnel-opened",
            new TunnelOpenedEvent(change.At, tunnel.ToAnswer()), AnswerContext.Default.TunnelOpenedEvent, EventKind.Tunnel),
        TunnelEnded ended => Of(id, "tunnel-ended",
            new TunnelEndedEvent(change.At, ended.Tunnel.ToAnswer(), ended.Reason, ended.Farewell, ended.ClientCloseCode, ended.BackendCloseCode,
                ended.OwnCloseCode),
            AnswerContext.Default.TunnelEndedEvent, EventKind.Tunnel),
        RequestRefused { Refused: var refused } => Of(id, "refused",
            new RefusedEvent(change.At, refused.ToAnswer()), AnswerContext.Default.RefusedEvent, EventKind.Refusal),
        _ => Wake, // Of a kind that a later version brings.
    };

    public static EventFrame Snapshot(long id, StateSnapshot state, long missed, bool isReadOnly)
        => Of(id, "snapshot", new SnapshotEvent(state.At, missed, state.ToAnswer(isReadOnly)), AnswerContext.Default.SnapshotEvent);

    private static EventFrame Of<T>(long id, string name, T data, JsonTypeInfo<T> type, EventKind kind = EventKind.State)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"id: {id}\nevent: {name}\ndata: ");
        return new EventFrame((byte[])[.. Encoding.UTF8.GetBytes(head), .. JsonSerializer.SerializeToUtf8Bytes(data, type), .. "\n\n"u8], kind);
    }
}
