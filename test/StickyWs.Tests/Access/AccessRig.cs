using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Dispatch;
using StickyWs.Transport;

namespace StickyWs.Tests.Access;

/// <summary>Lines and spans with all that they need; listeners hear this rig's spans only.</summary>
internal sealed class AccessRig : IDisposable
{
    public static readonly ConnectionTuple Tuple =
        new(new RawAddress(IPEndPoint.Parse("192.0.2.7:54321")), new RawAddress(IPEndPoint.Parse("10.0.0.1:443")));

    private readonly LoggerFactory _loggers;
    private readonly List<ActivityListener> _listeners = [];

    public AccessRig(ILoggerProvider? logger = null, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        _loggers = new LoggerFactory([logger ?? Log]);
        Registry = Fleet.Registry(Fleet.Options(1, 1));
        Lines = new AccessLog(Registry, Tracer, _loggers, time, Recent = new RecentLines(time));
        Accounts = new Accounts(Lines, Tracer, Attention = new Attention(time), time);
        Dispatcher = new DispatchRig(Registry);
    }

    public LogRecorder Log { get; } = new();

    public BackendRegistry Registry { get; }

    public Tracer Tracer { get; } = new();

    public AccessLog Lines { get; }

    public RecentLines Recent { get; }

    public Attention Attention { get; }

    public Accounts Accounts { get; }

    public DispatchRig Dispatcher { get; }

    /// <summary>The spans that have ended.</summary>
    public List<Activity> Spans { get; } = [];

    public static ClientFacts Client(bool isInPipeline = false) => new("c1", Tuple, LaneNames.Raw, "http", null, isInPipeline);

    public static AccessLine Line(string id = "c1") => new() { Event = AccessEvent.Tunnel, Pool = "chat", Lane = LaneNames.Raw, ConnectionId = id };

    /// <summary>Listens to the rig's spans.</summary>
    /// <param name="sample">What it wants of them.</param>
    /// <param name="stopped">Is called with each that has ended, before that is among <see cref="Spans"/>.</param>
    public void Listen(SampleActivity<ActivityContext> sample, Action<Activity>? stopped = null)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, Tracer.Source),
            Sample = sample,
            ActivityStopped = span =>
            {
                stopped?.Invoke(span);
                lock (Spans) Spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        _listeners.Add(listener);
    }

    public Task FlushAsync() => Lines.FlushAsync(Wait.Token());

    public void Dispose()
    {
        _listeners.ForEach(listener => listener.Dispose());
        Lines.Dispose();
        Tracer.Dispose();
        _loggers.Dispose();
    }
}
