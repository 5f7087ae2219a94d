using System.Runtime.CompilerServices;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>How many lines may be written about each backend: ten a minute.</summary>
internal sealed class LineBudget
{
    private const int PerMinute = 10;

    private readonly ConditionalWeakTable<Backend, Queue<long>> _written = [];

    /// <returns>Whether one more may be written now; then it counts.</returns>
    public bool TryTake(Backend backend, TimeProvider time)
    {
        var written = _written.GetOrCreateValue(backend);
        lock (written)
        {
            while (written.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= TimeSpan.FromMinutes(1)) written.Dequeue();
            if (written.Count == PerMinute) return false;
            written.Enqueue(time.GetTimestamp());
            return true;
        }
    }
}
