using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.Tests.Observability;

public sealed class TimersTests
{
    private static readonly AsyncLocal<string?> Flow = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CreateLasting_KeepsNothingOfItsCreatorsFlow(bool isSuppressed)
    {
        var seen = new TaskCompletionSource<string?>();
        Flow.Value = "a client's";

        var suppressed = isSuppressed ? ExecutionContext.SuppressFlow() : default;
        var timer = TimeProvider.System.CreateLasting(_ => seen.TrySetResult(Flow.Value), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        if (isSuppressed) suppressed.Undo();

        Assert.Equal("a client's", Flow.Value);
        Assert.Null(await seen.Task.WaitAsync(Wait.Bound));
        await timer.DisposeAsync();
    }
}
