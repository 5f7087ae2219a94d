using System.Buffers;
using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>Bytes that a socket could not take yet, in memory or in a kernel pipe.</summary>
internal abstract class Held
{
    /// <summary>The number of bytes.</summary>
    public abstract int Length { get; }
}

/// <summary>Pooled memory.</summary>
internal sealed class HeldBytes : Held
{
    private byte[] _buffer = [];
    private int _start;
    private int _length;

    public override int Length => _length;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, Length);

    /// <summary>Appends bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_start + Length + bytes.Length > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Length + bytes.Length);
            Bytes.CopyTo(larger);
            GiveBack();
            _buffer = larger;
        }

        bytes.CopyTo(_buffer.AsSpan(_start + Length));
        _length += bytes.Length;
    }

    /// <summary>Removes the first bytes, which were sent.</summary>
    public void Drop(int count) => (_start, _length) = (_start + count, _length - count);

    /// <summary>Returns the memory to its pool.</summary>
    public void GiveBack()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start) = ([], 0);
    }
}

/// <summary>One of the reactor's pipes, holding spliced bytes, and what was written after them.</summary>
internal sealed class HeldPipe(SplicePipe pipe) : Held
{
    public SplicePipe Pipe => pipe;

    /// <summary>The number of bytes in the pipe.</summary>
    public int InPipe { get; set; }

    /// <summary>What is sent when the pipe is empty; <see langword="null"/> if nothing.</summary>
    public HeldBytes? Behind { get; set; }

    public override int Length => InPipe + (Behind?.Length ?? 0);

    /// <summary>Adds bytes behind those in the pipe.</summary>
    public void Add(ReadOnlySpan<byte> bytes) => (Behind ??= new HeldBytes()).Add(bytes);
}
