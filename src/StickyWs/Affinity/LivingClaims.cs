using System.Runtime.CompilerServices;

namespace StickyWs.Affinity;

/// <summary>
/// The claims of tunnels and requests under way, so that what is remembered of their clients does not run out while they last. Lists whose links are in the claims themselves, each with a lock that is
/// held for an entry or an exit; every few seconds all are renewed, some at a time, lest a shared store get them all at once.
/// </summary>
internal sealed class LivingClaims : IDisposable
{
    private const int Lists = 16;
    private const int AtOnce = 256;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly List[] _lists = [.. Enumerable.Range(0, Lists).Select(_ => new List())];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _isRenewing;

    public LivingClaims(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static self => _ = ((LivingClaims)self!).RenewAsync(), this, Interval, Interval);
    }

    public void Add(Claim claim) => ListOf(claim).Add(claim);

    /// <summary>Does nothing to one that is not there.</summary>
    public void Remove(Claim claim) => ListOf(claim).Remove(claim);

    public void Dispose() => _timer.Dispose();

    private List ListOf(Claim claim) => _lists[(uint)RuntimeHelpers.GetHashCode(claim) % Lists];

    private async Task RenewAsync()
    {
        if (Interlocked.Exchange(ref _isRenewing, 1) == 1) return;
        try
        {
            foreach (var list in _lists)
            {
                var claims = list.ToArray();
                for (var i = 0; i < claims.Length; i++)
                {
                    claims[i].Renew();
                    if (i % AtOnce == AtOnce - 1) await Task.Delay(Pause, _time).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _isRenewing, 0);
        }
    }

    private sealed class List
    {
        private readonly Lock _lock = new();
        private Claim? _first;
        private int _count;

        public void Add(Claim claim)
        {
            lock (_lock)
            {
                claim.Next = _first;
                if (_first is not null) _first.Previous = claim;
                _first = claim;
                _count++;
            }
        }

        public void Remove(Claim claim)
        {
            lock (_lock)
            {
                if (claim.Previous is null && _first != claim) return;
                if (claim.Previous is { } previous) previous.Next = claim.Next;
                else _first = claim.Next;
                if (claim.Next is { } next) next.Previous = claim.Previous;
                claim.Previous = claim.Next = null;
                _count--;
            }
        }

        public Claim[] ToArray()
        {
            lock (_lock)
            {
                var claims = new Claim[_count];
                var at = _first;
                for (var i = 0; at is not null; at = at.Next) claims[i++] = at;
                return claims;
            }
        }
    }
}
