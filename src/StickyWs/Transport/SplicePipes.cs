namespace StickyWs.Transport;

/// <summary>The pipes of one reactor. There is a limit, so that readers that stall cannot take all descriptors: past it, bytes are copied.</summary>
internal sealed class SplicePipes
{
    private const int Most = 256;

    private readonly Stack<SplicePipe> _free = new();
    private int _count;

    public SplicePipe? TryRent()
    {
        if (_free.TryPop(out var pipe)) return pipe;
        if (_count == Most || SplicePipe.TryCreate() is not { } created) return null;
        _count++;
        return created;
    }

    /// <summary>Takes back a pipe that is empty.</summary>
    public void Return(SplicePipe pipe) => _free.Push(pipe);

    /// <summary>Closes a pipe that holds bytes which nobody wants any more.</summary>
    public void Discard(SplicePipe pipe)
    {
        pipe.Close();
        _count--;
    }

    public void CloseAll()
    {
        while (_free.TryPop(out var pipe)) Discard(pipe);
    }
}
