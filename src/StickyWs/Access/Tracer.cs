using System.Diagnostics;
using StickyWs.Http1;

namespace StickyWs.Access;

/// <summary>The activity source <c>StickyWs</c>. While nobody listens to it, nothing is allocated. Whether a span is made is the listeners' decision.</summary>
internal sealed class Tracer : IDisposable
{
    public const string SourceName = "StickyWs";

    private const string TunnelSpan = "tunnel";

    private readonly ActivitySource _source = new(SourceName);

    public ActivitySource Source => _source;

    public bool HasListeners => _source.HasListeners();

    /// <summary>Starts a span, and makes it the current one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="parent">Its parent; default for none.</param>
    /// <param name="tags">What listeners may decide by.</param>
    /// <returns><see langword="null"/> if no listener wants it.</returns>
    public Activity? Start(string name, ActivityKind kind, in ActivityContext parent, KeyValuePair<string, object?>[] tags)
    {
        var current = Activity.Current;
        if (parent == default) Activity.Current = null; // Whatever that is, it is not the parent.
        Activity? span = null;
        try
        {
            span = _source.StartActivity(name, kind, parent, tags);
            return span;
        }
        finally
        {
            if (span is null) Activity.Current = current; // Also if a listener threw, with the span already the current one.
        }
    }

    /// <summary>
    /// Tells of a tunnel's end: a span for its whole life, in the trace of its handshake and with a link to it, since that may have ended long ago.
    /// </summary>
    public void TellEnd(AccessLine line)
    {
        var (traced, began) = (line.Traced!, line.Traced!.EndedAt - (line.Duration ?? TimeSpan.Zero));
        KeyValuePair<string, object?>[] tags =
        [
            new(SpanTags.Pool, line.Pool), new(SpanTags.Backend, line.Backend), new(SpanTags.Lane, line.Lane),
            new(SpanTags.EndReason, line.EndReason), new(SpanTags.Farewell, line.Farewell),
            new(SpanTags.BytesToBackend, line.BytesToBackend), new(SpanTags.BytesToClient, line.BytesToClient),
        ];
        using var span = _source.StartActivity(TunnelSpan, ActivityKind.Internal, traced.Handshake, tags, [new ActivityLink(traced.Handshake)], began);
        span?.SetEndTime(traced.EndedAt.UtcDateTime);
    }

    /// <summary>The headers by which a span is passed on, as the application's propagator has them; none if there is no span.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> HeadersOf(Activity? span)
    {
        if (span is null) return [];
        var headers = new List<KeyValuePair<string, string>>(2);
        DistributedContextPropagator.Current.Inject(span, headers, static (carrier, name, value) =>
        {
            var isSafe = name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange('!', '~') && !name.Contains(':', StringComparison.Ordinal)
                && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');
            if (isSafe) ((List<KeyValuePair<string, string>>)carrier!).Add(new(name, value));
        });
        return headers;
    }

    /// <summary>Whether a client's header makes way for those of a span.</summary>
    public static bool IsReplaced(ReadOnlySpan<byte> name, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        if (headers.Count == 0) return false;
        if (HeaderNames.Is(name, TraceParent.Header) || HeaderNames.Is(name, TraceParent.StateHeader)) return true;
        foreach (var (own, _) in headers)
        {
            if (HeaderNames.Is(name, own)) return true;
        }

        return false;
    }

    public void Dispose() => _source.Dispose();
}
