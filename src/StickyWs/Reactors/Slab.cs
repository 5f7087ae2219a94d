namespace StickyWs.Reactors;

/// <summary>
/// Structs by number, in blocks that never move, so that a reference stays good while the slab grows. Numbers are used again; whoever keeps one
/// for later keeps a generation beside it. Belongs to one thread, but for the look at a place that is known to be taken.
/// </summary>
internal sealed class Slab<T>
    where T : struct
{
    private const int BlockBits = 8;
    private const int BlockSize = 1 << BlockBits;

    private readonly Stack<int> _free = new();
    private T[][] _blocks = [];
    private int _used;

    /// <summary>Places taken.</summary>
    public int Count => _used - _free.Count;

    /// <summary>One past the highest number that was ever taken.</summary>
    public int End => _used;

    public ref T this[int number] => ref _blocks[number >> BlockBits][number & (BlockSize - 1)];

    public int Take()
    {
        if (_free.TryPop(out var number)) return number;
        if (_used == _blocks.Length << BlockBits) Grow();
        return _used++;
    }

    public void Return(int number) => _free.Push(number);

    // The new outer array is published whole: another thread sees the old one or the new one.
    private void Grow()
    {
        var blocks = new T[_blocks.Length + 1][];
        _blocks.CopyTo(blocks, 0);
        blocks[^1] = new T[BlockSize];
        Volatile.Write(ref _blocks, blocks);
    }
}
