namespace StickyWs.Reactors;

/// <summary>
/// Structs by number, in blocks that never move, so references stay valid while the slab grows. Numbers are reused; keep a generation next to a
/// stored number. Used by one thread, except for reads of an entry that is known to be taken.
/// </summary>
internal sealed class Slab<T>
    where T : struct
{
    private const int BlockBits = 8;
    private const int BlockSize = 1 << BlockBits;

    private readonly Stack<int> _free = new();
    private T[][] _blocks = [];
    private int _used;

    /// <summary>The number of entries taken.</summary>
    public int Count => _used - _free.Count;

    /// <summary>One past the highest number ever taken.</summary>
    public int End => _used;

    public ref T this[int number] => ref _blocks[number >> BlockBits][number & (BlockSize - 1)];

    public int Take()
    {
        if (_free.TryPop(out var number)) return number;
        if (_used == _blocks.Length << BlockBits) Grow();
        return _used++;
    }

    public void Return(int number) => _free.Push(number);

    // The new outer array is published complete: another thread sees either the old one or the new one.
    private void Grow()
    {
        var blocks = new T[_blocks.Length + 1][];
        _blocks.CopyTo(blocks, 0);
        blocks[^1] = new T[BlockSize];
        Volatile.Write(ref _blocks, blocks);
    }
}
