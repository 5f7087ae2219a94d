using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>What Kestrel has set on a connection when it began to serve it: its own bookkeeping, which ends with the listener.</summary>
internal readonly record struct KestrelSide(
    IConnectionHeartbeatFeature? Heartbeat, IConnectionLifetimeNotificationFeature? Lifetime, IConnectionCompleteFeature? Completion)
{
    public static KestrelSide Of(IFeatureCollection features)
        => new(features.Get<IConnectionHeartbeatFeature>(), features.Get<IConnectionLifetimeNotificationFeature>(),
            features.Get<IConnectionCompleteFeature>());
}
