using Microsoft.Extensions.Options;

namespace StickyWs.Configuration;

// The bodies are generated from the attributes on the options; StickyWsOptionsValidator calls them with each object's key.

[OptionsValidator]
internal sealed partial class RootRanges : IValidateOptions<StickyWsOptions>;

[OptionsValidator]
internal sealed partial class TransportRanges : IValidateOptions<TransportOptions>;

[OptionsValidator]
internal sealed partial class TunnelRanges : IValidateOptions<TunnelOptions>;

[OptionsValidator]
internal sealed partial class PingRanges : IValidateOptions<PingOptions>;

[OptionsValidator]
internal sealed partial class DrainRanges : IValidateOptions<DrainOptions>;

[OptionsValidator]
internal sealed partial class RebalanceRanges : IValidateOptions<RebalanceOptions>;

[OptionsValidator]
internal sealed partial class OutlierRanges : IValidateOptions<OutlierOptions>;

[OptionsValidator]
internal sealed partial class PoolRanges : IValidateOptions<PoolOptions>;

[OptionsValidator]
internal sealed partial class BackendRanges : IValidateOptions<BackendOptions>;

[OptionsValidator]
internal sealed partial class QueueRanges : IValidateOptions<QueueOptions>;

[OptionsValidator]
internal sealed partial class TimeoutRanges : IValidateOptions<TimeoutOptions>;

[OptionsValidator]
internal sealed partial class ConnectionRanges : IValidateOptions<KeptConnectionOptions>;

[OptionsValidator]
internal sealed partial class ProbeRanges : IValidateOptions<ProbeOptions>;

[OptionsValidator]
internal sealed partial class PassiveRanges : IValidateOptions<PassiveHealthOptions>;

[OptionsValidator]
internal sealed partial class AffinityRanges : IValidateOptions<AffinityOptions>;

[OptionsValidator]
internal sealed partial class CookieAffinityRanges : IValidateOptions<CookieAffinityOptions>;

[OptionsValidator]
internal sealed partial class ClientAddressRanges : IValidateOptions<ClientAddressAffinityOptions>;

[OptionsValidator]
internal sealed partial class PathSegmentRanges : IValidateOptions<PathSegmentAffinityOptions>;

[OptionsValidator]
internal sealed partial class ShutdownRanges : IValidateOptions<ShutdownOptions>;

[OptionsValidator]
internal sealed partial class PinRanges : IValidateOptions<PinOptions>;
