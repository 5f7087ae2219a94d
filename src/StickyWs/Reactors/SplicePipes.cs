using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>The pipes of one reactor. Their number is limited, so that stalled readers cannot use up all descriptors; beyond it, bytes are
/// copied.</summary>
internal sealed class SplicePipes(int most)
{
    private readonly Stack<HeldPipe> _free = new();

    /// <summary>The number of pipes, in use or not.</summary>
    public int Count { get; private set; }

    public HeldPipe? TryRent()
    {
        if (_free.TryPop(out var pipe)) return pipe;
        if (Count == most || SplicePipe.TryCreate() is not { } created) return null;
        Count++;
        return new HeldPipe(created);
    }

    /// <summary>Returns an empty pipe to the pool.</summary>
    public void Return(HeldPipe pipe) => _free.Push(pipe);

    /// <summary>Closes a pipe whose bytes are no longer wanted.</summary>
    public void Discard(HeldPipe pipe)
    {
        pipe.Pipe.Close();
        Count--;
    }

    public void CloseAll()
    {
        while (_free.TryPop(out var pipe)) Discard(pipe);
    }
}
