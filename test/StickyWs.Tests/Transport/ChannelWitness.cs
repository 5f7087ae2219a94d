using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>Who has a channel and notes that its input has ended.</summary>
internal sealed class ChannelWitness : IChannelOwner
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ends;

    public Task Ended => _ended.Task;

    public int Ends => Volatile.Read(ref _ends);

    public void InputEnded()
    {
        Interlocked.Increment(ref _ends);
        _ended.TrySetResult();
    }
}
