using System.Buffers;

namespace StickyWs.Affinity;

/// <summary>
/// The claims whose leases are still held. Their pins must live as long, here and in the shared store: a client whose network has changed returns
/// before its old tunnel is known to be dead, and one that only listens sends nothing for hours. Split into parts so that requests do not contend for
/// one lock, and refreshed one part at a time so that the store is not asked for all of them at once.
/// </summary>
internal sealed class OpenClaims
{
    /// <summary>After this many calls of <see cref="KeepSomeAsync"/> every claim has been refreshed.</summary>
    public const int Parts = 16;

    private readonly List<Claim>[] _parts = [.. Enumerable.Range(0, Parts).Select(_ => new List<Claim>())];
    private int _next;

    public int Count => _parts.Sum(part => part.Count);

    /// <summary>Adds a claim, unless it is already in.</summary>
    public void Add(Claim claim)
    {
        var part = PartOf(claim);
        lock (part)
        {
            if (claim.Place > 0) return;
            part.Add(claim);
            claim.Place = part.Count;
        }
    }

    /// <summary>Removes a claim if it is in; the last one takes its place.</summary>
    public void Remove(Claim claim)
    {
        var part = PartOf(claim);
        lock (part)
        {
            if (claim.Place == 0) return;
            var last = part[^1];
            part[claim.Place - 1] = last;
            last.Place = claim.Place;
            claim.Place = 0;
            part.RemoveAt(part.Count - 1);
        }
    }

    /// <summary>Keeps the pins of the next part alive. One caller at a time.</summary>
    public async Task KeepSomeAsync(CancellationToken cancellationToken)
    {
        var part = _parts[(uint)_next++ % Parts];
        var (claims, count) = Copy(part);
        for (var i = 0; i < count && !cancellationToken.IsCancellationRequested; i++) await claims[i].KeepAsync().ConfigureAwait(false);
        ArrayPool<Claim>.Shared.Return(claims, clearArray: true);
    }

    private static (Claim[] Claims, int Count) Copy(List<Claim> part)
    {
        lock (part)
        {
            var claims = ArrayPool<Claim>.Shared.Rent(part.Count);
            part.CopyTo(claims);
            return (claims, part.Count);
        }
    }

    private List<Claim> PartOf(Claim claim) => _parts[(uint)claim.GetHashCode() % Parts];
}
