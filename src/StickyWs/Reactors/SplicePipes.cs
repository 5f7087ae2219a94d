using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>The pipes of one reactor. There is a limit, so that readers that stall cannot take all descriptors: past it, bytes are copied.</summary>
internal sealed class SplicePipes(int most)
{
    private readonly Stack<HeldPipe> _free = new();

    /// <summary>Pipes there are, in use or not.</summary>
    public int Count { get; private set; }

    public HeldPipe? TryRent()
    {
        if (_free.TryPop(out var pipe)) return pipe;
        if (Count == most || SplicePipe.TryCreate() is not { } created) return null;
        Count++;
        return new HeldPipe(created);
    }

    /// <summary>Takes back a pipe that is empty.</summary>
    public void Return(HeldPipe pipe) => _free.Push(pipe);

    /// <summary>Closes a pipe that holds bytes which nobody wants any more.</summary>
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
