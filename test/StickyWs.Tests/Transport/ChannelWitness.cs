using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>Who has a channel and notes how its input ended.</summary>
internal sealed class ChannelWitness : IChannelOwner
{
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ends;

    public Task<Exception?> Ended => _ended.Task;

    public int Ends => Volatile.Read(ref _ends);

    public void InputEnded(Exception? reason)
    {
        Interlocked.Increment(ref _ends);
        _ended.TrySetResult(reason);
    }
}
