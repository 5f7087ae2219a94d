using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>A clock that stands still, and tells which timers wait for it: a test advances it only when what it wants to see is waiting.</summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(base.CreateTimer(callback, state, dueTime, period), _timers.Writer);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits until a timer was set that fits; those before it are forgotten.</summary>
    public async Task<TimeSpan> TimerAsync(Predicate<TimeSpan> fits)
    {
        while (true)
        {
            var due = await _timers.Reader.ReadAsync(Wait.Token());
            if (fits(due)) return due;
        }
    }

    public Task TimerAsync(TimeSpan due) => TimerAsync(timer => timer == due);

    // A cancellation source is made without a time, and gets it by a change.
    private sealed class WatchedTimer(ITimer timer, ChannelWriter<TimeSpan> timers) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            timers.TryWrite(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
