using System.Diagnostics;
using StickyWs.Access;

namespace StickyWs.Proxying;

/// <summary>
/// Has the HTTP client's own span of a request say which backend it is for, as ours do of handshakes and of the direct lane. The place where the client
/// passes its span on is the only one at which both are known.
/// </summary>
internal sealed class BackendPropagator(DistributedContextPropagator inner) : DistributedContextPropagator
{
    // Without listeners to the client's it is another span that passes on: whoever made that one knows nothing of backends.
    private const string SpanOfClient = "System.Net.Http.HttpRequestOut";

    public override IReadOnlyCollection<string> Fields => inner.Fields;

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
    {
        if (activity is { IsAllDataRequested: true, OperationName: SpanOfClient } && carrier is HttpRequestMessage message
            && message.Options.TryGetValue(ProxiedRequest.Key, out var request) && request.Backend is { } backend)
        {
            // Its own server is that of the Host that the client sent, at the port of the backend.
            activity.SetTag(SpanTags.ServerAddress, backend.Address.Host).SetTag(SpanTags.Pool, backend.Pool).SetTag(SpanTags.Backend, backend.Name);
        }

        inner.Inject(activity, carrier, setter);
    }

    public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
        => inner.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter)
        => inner.ExtractBaggage(carrier, getter);
}
