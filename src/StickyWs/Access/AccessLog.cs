using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Access;

/// <summary>
/// Writes the lines of the category <c>StickyWs.Access</c>, and ends spans. Work ends on reactors: what the application plugs in (loggers, listeners of
/// activities) is therefore called on a thread of its own, one after the other. One that blocks costs lines and spans, never bytes of tunnels, however few
/// processors and pool threads there are. The thread begins with the first entry and ends with the host. Safe for concurrent use.
/// </summary>
internal sealed partial class AccessLog : IDisposable
{
    public const string Category = "StickyWs.Access";

    /// <summary>
    /// How many lines may wait, and how many spans; or as many as tunnels were ever open at once, if these are more, since they may all end at once. What
    /// is more is dropped; lines are counted.
    /// </summary>
    public const int MostWaiting = 16 * 1024;

    private readonly BackendRegistry _registry;
    private readonly RecentLines _recent;
    private readonly ILogger _logger;
    private readonly Tracer _tracer;
    private readonly Pace _pace;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<object> _waiting = new(); // Lines, spans, failures, and those who wait for all before them.
    private readonly SemaphoreSlim _wake = new(0);
    private Thread? _thread;
    private int _lines;
    private int _spans;
    private int _open;
    private int _mostOpen;
    private int _isBusy;
    private volatile bool _isEnded;
    private long _dropped;
    private int _hasFailed;

    public AccessLog(BackendRegistry registry, Tracer tracer, ILoggerFactory loggers, TimeProvider time, RecentLines recent)
    {
        (_registry, _recent) = (registry, recent);
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

    private int Limit => Math.Max(MostWaiting, Volatile.Read(ref _mostOpen));

    /// <summary>A tunnel has opened whose end will be written.</summary>
    public void Opened()
    {
        var open = Interlocked.Increment(ref _open);
        for (var most = Volatile.Read(ref _mostOpen); open > most;)
        {
            var seen = Interlocked.CompareExchange(ref _mostOpen, open, most);
            if (seen == most) return;
            most = seen;
        }
    }

    /// <summary>Such a tunnel has ended.</summary>
    public void Closed() => Interlocked.Decrement(ref _open);

    /// <summary>Takes a line, which is written elsewhere. Without room for lines, it still ends its tunnel's trace.</summary>
    public void Write(AccessLine line)
    {
        _recent.Add(line);
        if (line.IsLogged && !TryEnter(ref _lines))
        {
            line.IsLogged = false;
            Interlocked.Increment(ref _dropped);
        }

        line.IsTraced = line.Traced is not null && TryEnter(ref _spans);
        if (line.IsLogged || line.IsTraced) Add(line);
    }

    /// <summary>Takes a span that has its end time: it is stopped elsewhere, where its listeners hear of it.</summary>
    public void Stop(Activity span)
    {
        if (TryEnter(ref _spans)) Add(span);
    }

    /// <summary>Waits until what was taken so far is written.</summary>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Add(written);
        return written.Task.WaitAsync(cancellationToken);
    }

    /// <summary>A listener of the application's threw where it had to be called at once. That is logged once, elsewhere.</summary>
    public void NoteFailed(Exception failure)
    {
        if (Interlocked.Exchange(ref _hasFailed, 1) == 0) Add(failure);
    }

    /// <summary>The thread ends when it has written what waits. Nothing is taken any more.</summary>
    public void Dispose()
    {
        if (_isEnded) return;
        _isEnded = true;
        _wake.Release();
    }

    private bool TryEnter(ref int count)
    {
        if (Interlocked.Increment(ref count) <= Limit) return true;
        Interlocked.Decrement(ref count);
        return false;
    }

    // Who finds the thread idle wakes it.
    private void Add(object entry)
    {
        if (_isEnded)
        {
            (entry as TaskCompletionSource)?.TrySetResult();
            return;
        }

        _waiting.Enqueue(entry);
        if (Interlocked.Exchange(ref _isBusy, 1) != 0) return;
        if (_thread is null) Begin();
        else _wake.Release();
    }

    private void Begin()
    {
        try
        {
            var thread = new Thread(Run) { IsBackground = true, Name = "StickyWs access log" };
            _thread = thread;
            thread.UnsafeStart(); // Nothing of the flow that ended first.
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            _thread = null;
            Interlocked.Exchange(ref _isBusy, 0); // The next entry tries again; until then they wait, up to the limit.
        }
    }

    private void Run()
    {
        while (true)
        {
            do
            {
                while (_waiting.TryDequeue(out var next)) Take(next);
                Interlocked.Exchange(ref _isBusy, 0);
            }
            while (!_waiting.IsEmpty && Interlocked.Exchange(ref _isBusy, 1) == 0);

            if (_isEnded) return;
            _wake.Wait();
        }
    }

    private void Take(object next)
    {
        if (next is AccessLine line)
        {
            if (line.IsLogged) Interlocked.Decrement(ref _lines);
            if (line.IsTraced) Interlocked.Decrement(ref _spans);
            Tell(line);
        }
        else if (next is Activity span)
        {
            Interlocked.Decrement(ref _spans);
            Attempt(span, static span => span.Stop());
        }
        else if (next is Exception failure)
        {
            TryTellFailed(failure);
        }

        var flushed = next as TaskCompletionSource;
        if (Volatile.Read(ref _dropped) > 0 && (flushed is not null || _pace.TryPass())) Attempt(this, static log => log.TellDropped());
        flushed?.TrySetResult();
    }

    // Calls what the application has plugged in. If it throws, that is logged once. Stopping a span makes its predecessor the current one, here.
    private void Attempt<T>(T told, Action<T> tell)
    {
        try
        {
            tell(told);
        }
#pragma warning disable CA1031 // Whatever a logger or a listener of the application's throws: the next line may pass.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Activity.Current = null; // A span whose listener threw is still the current one.
            if (Interlocked.Exchange(ref _hasFailed, 1) == 0) TryTellFailed(e);
        }
        finally
        {
            Activity.Current = null;
        }
    }

    private void Tell(AccessLine line)
    {
        if (line.IsLogged) Attempt((Log: this, Line: line), static told => told.Log.Log(told.Line));
        if (line.IsTraced) Attempt((Tracer: _tracer, Line: line), static told => told.Tracer.TellEnd(told.Line));
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
}
