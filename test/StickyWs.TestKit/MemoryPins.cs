using System.Collections.Concurrent;
using System.Collections.Immutable;
using StickyWs.Pinning;

namespace StickyWs.TestKit;

/// <summary>
/// A store of pins within the process, which balancers share as they share one on the network: each opens its own end, and what one saves the others
/// are told. Its faults are the test's to order.
/// </summary>
public sealed class MemoryPins
{
    private readonly ConcurrentDictionary<string, string> _pins = new();
    private ImmutableList<End> _ends = [];
    private volatile StoreFault _fault;
    private int _calls;

    public StoreFault Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>How long a slow store takes. Default 20 ms.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether messages of what was saved are lost. Default <see langword="false"/>.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Calls that reached it so far.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>What it holds: the backend's name by the key.</summary>
    public IReadOnlyDictionary<string, string> Pins => _pins;

    /// <summary>Forgets all pins, as a store does that keeps nothing on a disk and is started anew.</summary>
    public void Clear() => _pins.Clear();

    /// <summary>The end of one more instance.</summary>
    public IPinStore Open()
    {
        var end = new End(this);
        ImmutableInterlocked.Update(ref _ends, ends => ends.Add(end));
        return end;
    }

    private async ValueTask AnswerAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        switch (Fault)
        {
            case StoreFault.Slow:
                await Task.Delay(Delay, cancellationToken);
                break;
            case StoreFault.Failing:
                throw new IOException("The store is out of order.");
            case StoreFault.Hanging:
                await new TaskCompletionSource().Task;
                break;
        }
    }

    private sealed class End(MemoryPins pins) : IPinStore
    {
        public event Action<string, string>? Saved;

        public async ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken)
        {
            await pins.AnswerAsync(cancellationToken);
            return pins._pins.GetValueOrDefault(key);
        }

        public async ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken)
        {
            await pins.AnswerAsync(cancellationToken);
            pins._pins[key] = backend;
            if (pins.IsSilent) return;
            foreach (var end in pins._ends)
            {
                if (end != this) end.Saved?.Invoke(key, backend);
            }
        }
    }
}
