using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.TestKit;

namespace StickyWs.Tests.Connections;

/// <summary>What becomes of a connection whose first head does not arrive in time, or never.</summary>
public abstract class LateHeadTests : MiddlewareTest
{
    private protected LateHeadTests(Accepted accepted)
        : base(accepted)
    {
    }

    [Fact]
    public async Task OnConnection_SilentUntilTheDeadline_EndsWithoutAWord()
    {
        var serving = Serve();
        Clock.Advance(HeadDeadline - TimeSpan.FromMilliseconds(1));
        Assert.False(serving.IsCompleted);

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        await serving.WaitAsync(Wait.Bound);

        await AssertSilentlyClosedAsync();
    }

    [Theory]
    [InlineData("G")]
    [InlineData("GET /a HTTP/1.1\r\nHost: exam")]
    public async Task OnConnection_PartOfAHeadUntilTheDeadline_IsAnswered(string part)
    {
        await Accepted.SendAsync(part);
        var serving = Serve();
        Assert.False(serving.IsCompleted);

        Clock.Advance(HeadDeadline);

        await AssertToldTooSlowAsync(serving);
    }

    [Fact]
    public async Task OnConnection_SilentWhileTheServerStops_EndsWithoutAWord()
    {
        var serving = Serve();

        await StopServerAsync();
        await serving.WaitAsync(Wait.Bound);

        await AssertSilentlyClosedAsync();
    }

    [Fact]
    public async Task OnConnection_PartOfAHeadWhileTheServerStops_IsAnswered()
    {
        await Accepted.SendAsync("GET /");
        var serving = Serve();

        await StopServerAsync();

        await AssertToldTooSlowAsync(serving);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /")]
    public async Task OnConnection_FinishedWithinTheHead_GoesOnToItsEnd(string part)
    {
        var serving = Serve();
        if (part.Length > 0) await Accepted.Client.WriteAsync(part);

        await Accepted.Client.FinishAsync();
        await Wait.UntilAsync(() => Passed.Count > 0);

        await AssertPassedAsync(part, nameof(Verdict.NeedMore));
        Assert.True((await Accepted.Connection.Transport.Input.ReadAsync(Wait.Token())).IsCompleted);
        Next.SetResult();
        await serving.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task OnConnection_BrokenBeforeTheFirstLook_Ends()
    {
        await Accepted.BreakAsync();

        var serving = Serve();

        Assert.True(serving.IsCompletedSuccessfully);
        AssertFailed();
    }

    [Fact]
    public async Task OnConnection_BrokenWhileItIsWaitedFor_Ends()
    {
        var serving = Serve();
        Assert.False(serving.IsCompleted);

        Accepted.Client.Reset();
        await serving.WaitAsync(Wait.Bound);

        AssertFailed();
    }

    // A bare socket still has what came before the break, and then it is Kestrel that finds it broken.
    [Fact]
    public async Task OnConnection_BrokenWithinTheHead_IsNotWaitedForAnyLonger()
    {
        await Accepted.SendAsync("GET /a HTTP/1.1\r\n");
        var serving = Serve();
        Assert.False(serving.IsCompleted);

        Accepted.Client.Reset();
        await Wait.UntilAsync(() => serving.IsCompleted || Passed.Count > 0);

        if (Passed.Count > 0) await Assert.ThrowsAnyAsync<IOException>(() => Accepted.ReadAsync(int.MaxValue));
        else AssertFailed();
    }

    private async Task AssertSilentlyClosedAsync()
    {
        Assert.Empty(Passed);
        Assert.Contains(Log, line => line.Event == "HeadTimedOut");
        await Accepted.Connection.DisposeAsync(); // As Kestrel does it now.
        Assert.True(await Accepted.Client.EndsInOrderAsync());
    }

    private async Task AssertToldTooSlowAsync(Task serving)
    {
        var answer = Accepted.Client.ReadTextToEndAsync();
        await PassTimeUntilAsync(() => answer.IsCompleted);
        Assert.StartsWith("HTTP/1.1 408 ", await answer, StringComparison.Ordinal);
        await Accepted.Client.FinishAsync();
        await CompleteAsync(serving);
        Assert.Empty(Passed);
        Assert.Contains(Log, line => line.Event == "HeadTimedOut");
    }

    private void AssertFailed()
    {
        Assert.Empty(Passed);
        Assert.Contains(Log, line => line.Event == "ConnectionFailed");
    }

    public sealed class OnPipe() : LateHeadTests(Accepted.ByKestrel());

    public sealed class OnEpoll() : LateHeadTests(Accepted.ByReactor(ReactorMode.Epoll));

    public sealed class OnIoUring() : LateHeadTests(Accepted.ByReactor(ReactorMode.IoUring));

    public sealed class BeforeKestrel() : LateHeadTests(Accepted.BeforeKestrel());
}
