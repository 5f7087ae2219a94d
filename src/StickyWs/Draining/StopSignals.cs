using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace StickyWs.Draining;

/// <summary>
/// Notices that a second signal asks the process to stop: SIGTERM or SIGINT, on Windows Ctrl+C or what the system sends at its own end. The host
/// handles the first, and ignores all further ones. What a signal does otherwise is left as it is. Within a second of the first, another one is the same
/// stop, delivered twice: a terminal signals a whole group of processes, and a wrapper in the group passes it on.
/// </summary>
internal sealed class StopSignals(IHostApplicationLifetime lifetime, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan SameStop = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<IDisposable> _registrations = [];
    private Thread? _latest;
    private long? _latestAt;
    private long? _firstAt;
    private bool _isStopping;
    private Action? _again;

    /// <summary>Watches from now on.</summary>
    /// <param name="again">Called when the second signal comes.</param>
    public void Begin(Action again)
    {
        lock (_lock)
        {
            if (_again is not null) return;
            _again = again;
            _registrations.Add(lifetime.ApplicationStopping.Register(NoteStopping));
            foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
                _registrations.Add(PosixSignalRegistration.Create(signal, _ => Note()));
        }
    }

    public void Dispose()
    {
        IDisposable[] registrations;
        lock (_lock)
        {
            registrations = [.. _registrations];
            _registrations.Clear();
        }

        foreach (var registration in registrations) registration.Dispose();
    }

    // A signal's handlers run one after the other on a thread of their own, in an order that is not ours to know: one that has made the host stop on this
    // thread was noted already, or will be.
    private void NoteStopping()
    {
        lock (_lock)
        {
            _isStopping = true;
            if (_latest == Thread.CurrentThread || IsRecent(_latestAt)) _firstAt = _latestAt;
        }
    }

    /// <summary>A signal has come. Before the stop, it was for something else.</summary>
    internal void Note()
    {
        lock (_lock)
        {
            (_latest, _latestAt) = (Thread.CurrentThread, time.GetTimestamp());
            if (!_isStopping) return;
            _firstAt ??= _latestAt;
            if (IsRecent(_firstAt)) return;
        }

        _again?.Invoke();
    }

    private bool IsRecent(long? at) => at is { } then && time.GetElapsedTime(then) < SameStop;
}
