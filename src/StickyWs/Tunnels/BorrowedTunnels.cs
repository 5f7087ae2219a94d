using System.Buffers;

namespace StickyWs.Tunnels;

/// <summary>
/// The tunnels that were open at one moment; some may have ended meanwhile. About the oldest come first. Their array is lent, so that a look at a hundred
/// thousand allocates nothing: whoever looks gives it back, and keeps nothing of it.
/// </summary>
internal readonly ref struct BorrowedTunnels
{
    private readonly Tunnel[] _array;
    private readonly int _count;

    /// <param name="tunnels">The tunnels, which nobody changes meanwhile.</param>
    public BorrowedTunnels(HashSet<Tunnel> tunnels)
    {
        (_array, _count) = (ArrayPool<Tunnel>.Shared.Rent(tunnels.Count), tunnels.Count);
        tunnels.CopyTo(_array);
    }

    public ReadOnlySpan<Tunnel> All => _array.AsSpan(0, _count);

    public void Dispose()
    {
        _array.AsSpan(0, _count).Clear(); // An ended tunnel is not to be kept by the pool.
        ArrayPool<Tunnel>.Shared.Return(_array);
    }
}
