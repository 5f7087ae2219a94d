using System.Text.Json.Serialization;

namespace StickyWs.Dashboard.Answers;

/// <summary>How answers become JSON: camelCase, enumerations by the names that the configuration, the log and the metrics use.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(StateAnswer))]
[JsonSerializable(typeof(TunnelsAnswer))]
[JsonSerializable(typeof(TunnelAnswer))]
[JsonSerializable(typeof(DrainsAnswer))]
[JsonSerializable(typeof(SteerAnswer))]
[JsonSerializable(typeof(TunnelSteerAnswer))]
[JsonSerializable(typeof(FlowsAnswer))]
[JsonSerializable(typeof(EndsAnswer))]
[JsonSerializable(typeof(RefusalsAnswer))]
[JsonSerializable(typeof(SnapshotEvent))]
[JsonSerializable(typeof(ConfigurationEvent))]
[JsonSerializable(typeof(BackendEvent))]
[JsonSerializable(typeof(DrainedEvent))]
[JsonSerializable(typeof(PoolEvent))]
[JsonSerializable(typeof(TunnelOpenedEvent))]
[JsonSerializable(typeof(TunnelEndedEvent))]
[JsonSerializable(typeof(RefusedEvent))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class AnswerContext : JsonSerializerContext;
