using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Access;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>The spans of one balancer.</summary>
internal sealed class Spans : IDisposable
{
    private readonly ActivityListener _listener;

    public Spans(Balancer balancer, ActivitySamplingResult result = ActivitySamplingResult.AllDataAndRecorded)
    {
        var own = balancer.Services.GetRequiredService<Tracer>().Source;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, own),
            Sample = (ref _) => Throws ? throw new InvalidTimeZoneException() : result,
            ActivityStopped = span => All.Enqueue(span),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public bool Throws { get; init; }

    public ConcurrentQueue<Activity> All { get; } = new();

    public void Dispose() => _listener.Dispose();
}
