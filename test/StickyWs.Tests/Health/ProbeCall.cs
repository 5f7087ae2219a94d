using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>One probe under way, which waits for the test's answer.</summary>
internal sealed class ProbeCall(DateTimeOffset begun, CancellationToken cancellation)
{
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DateTimeOffset Begun => begun;

    public Task Answer => _answer.Task;

    public void Good() => _answer.SetResult();

    public void Fail(string cause) => Throw(new ProbeFailedException(cause));

    public void Throw(Exception failure) => _answer.SetException(failure);

    public async Task CancelledAsync()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellation.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(Wait.Token());
    }
}
