using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Access;

/// <summary>
/// Writes the lines of the category <c>StickyWs.Access</c>, and ends traces. Work ends on reactors: what the application plugs in (loggers, listeners of
/// activities) is therefore called by the thread pool, one line after the other. One that blocks costs lines, never bytes of tunnels. Safe for concurrent
/// use.
/// </summary>
internal sealed partial class AccessLog : IThreadPoolWorkItem
{
    public const string Category = "StickyWs.Access";

    /// <summary>How many lines may wait; more are dropped, and counted.</summary>
    public const int MostWaiting = 16 * 1024;

    private readonly BackendRegistry _registry;
    private readonly ILogger _logger;
    private readonly Tracer _tracer;
    private readonly Pace _pace;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<Entry> _waiting = new();
    private int _count;
    private int _isBusy;
    private long _dropped;
    private bool _hasFailed;

    public AccessLog(BackendRegistry registry, Tracer tracer, ILoggerFactory loggers, TimeProvider time)
    {
        _registry = registry;
        _tracer = tracer;
        _logger = loggers.CreateLogger(Category);
        (_time, _pace) = (time, Pace.OfWarnings(time));
    }

    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Whether tunnels and handshakes have lines.</summary>
    public bool HasTunnels => Options.Tunnels && _logger.IsEnabled(LogLevel.Information);

    /// <summary>Whether plain requests have lines.</summary>
    public bool HasRequests => Options.Requests && _logger.IsEnabled(LogLevel.Information);

    private AccessLogOptions Options => _registry.Current.Options.AccessLog;

    /// <summary>Takes a line, which is written elsewhere.</summary>
    public void Write(AccessLine line)
    {
        if (Interlocked.Increment(ref _count) > MostWaiting)
        {
            Interlocked.Decrement(ref _count);
            Interlocked.Increment(ref _dropped);
            return;
        }

        Add(new Entry(line, null));
    }

    /// <summary>Waits until what was taken so far is written.</summary>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Increment(ref _count);
        Add(new Entry(null, written));
        return written.Task.WaitAsync(cancellationToken);
    }

    public void Execute()
    {
        do
        {
            while (_waiting.TryDequeue(out var next))
            {
                Interlocked.Decrement(ref _count);
                if (next.Line is { } line) Tell(line);
                if (Volatile.Read(ref _dropped) > 0 && (next.Flushed is not null || _pace.TryPass())) Attempt(this, static log => log.TellDropped());
                next.Flushed?.TrySetResult();
            }

            Interlocked.Exchange(ref _isBusy, 0);
        }
        while (!_waiting.IsEmpty && Interlocked.Exchange(ref _isBusy, 1) == 0);
    }

    /// <summary>Calls what the application has plugged in. If it throws, that is logged once.</summary>
    public void Attempt<T>(T told, Action<T> tell)
    {
        try
        {
            tell(told);
        }
#pragma warning disable CA1031 // Whatever a logger or a listener of the application's throws: the next line may pass.
        catch (Exception e)
#pragma warning restore CA1031
        {
            TryTellFailed(e);
        }
    }

    private void Add(Entry entry)
    {
        _waiting.Enqueue(entry);
        if (Interlocked.Exchange(ref _isBusy, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Tell(AccessLine line)
    {
        if (line.IsLogged) Attempt((Log: this, Line: line), static told => told.Log.Log(told.Line));
        if (line.Traced is not null) Attempt((Tracer: _tracer, Line: line), static told => told.Tracer.TellEnd(told.Line));
    }

    // The option, or the filter of the category, may have changed meanwhile.
    private void Log(AccessLine line)
    {
        if (!(line.Event == AccessEvent.Request ? HasRequests : HasTunnels)) return;
        var id = line.Event.Id();
        _logger.Log(LogLevel.Information, id, line, null, static (line, _) => line.ToString());
    }

    private void TellDropped()
    {
        var count = Interlocked.Exchange(ref _dropped, 0);
        LogDropped(count);
    }

    // The logger itself may be what failed: then there is nobody to tell.
    private void TryTellFailed(Exception failure)
    {
        if (_hasFailed) return;
        _hasFailed = true;
        try
        {
            LogListenerFailed(failure);
        }
#pragma warning disable CA1031 // It has failed twice.
        catch (Exception)
#pragma warning restore CA1031
        {
            // Nothing is left that could be told, or would listen.
        }
    }

    [LoggerMessage(EventIds.LinesDropped, LogLevel.Warning,
        "{Count} lines of the access log were dropped: the application's loggers take fewer than there are",
        EventName = "LinesDropped")]
    private partial void LogDropped(long count);

    [LoggerMessage(EventIds.AccessListenerFailed, LogLevel.Error,
        "A logger, or a listener of the traces, failed for a line of the access log; the traffic is not affected. This is said once",
        EventName = "AccessListenerFailed")]
    private partial void LogListenerFailed(Exception exception);

    private readonly record struct Entry(AccessLine? Line, TaskCompletionSource? Flushed);
}
