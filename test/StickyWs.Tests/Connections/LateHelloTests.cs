using System.Text;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.TestKit;

namespace StickyWs.Tests.Connections;

/// <summary>What becomes of a connection whose ClientHello is read, and does not arrive in time, or is for nobody.</summary>
public abstract class LateHelloTests : MiddlewareTest
{
    private static readonly string Hello = Encoding.Latin1.GetString(HelloForge.Hello("mail.example.com"));

    private protected LateHelloTests(Accepted accepted)
        : base(accepted)
        => Apply(new PoolOptions
        {
            Tls = { Mode = PoolTlsMode.Passthrough },
            Match = { ServerNames = { "other.example.com" } },
            Backends = { ["a"] = new BackendOptions { Address = $"tcp://127.0.0.1:{Backend.Port}" } },
        });

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100)]
    public async Task OnConnection_PartOfAHelloUntilTheDeadline_EndsWithoutAWord(int length)
    {
        await Accepted.SendAsync(Hello[..length]);
        var serving = Serve();
        Clock.Advance(HeadDeadline - TimeSpan.FromMilliseconds(1));
        Assert.False(serving.IsCompleted);

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        await serving.WaitAsync(Wait.Bound);

        await AssertSilentlyClosedAsync();
    }

    [Fact]
    public async Task OnConnection_PartOfAHelloWhileTheServerStops_EndsWithoutAWord()
    {
        await Accepted.SendAsync(Hello[..^1]);
        var serving = Serve();

        await StopServerAsync();
        await serving.WaitAsync(Wait.Bound);

        await AssertSilentlyClosedAsync();
    }

    [Fact]
    public async Task OnConnection_HelloForNobodysServer_GoesOnWithEveryByte()
    {
        await Accepted.SendAsync(Hello);

        var serving = Serve();
        await Wait.UntilAsync(() => Passed.Count > 0);

        await AssertPassedAsync(Hello, nameof(Verdict.Tls));
        Next.SetResult();
        await serving.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task OnConnection_LateHelloForNobodysServer_GoesOnWithEveryByte()
    {
        await Accepted.SendAsync(Hello[..7]);
        var serving = Serve();
        Assert.Empty(Passed);

        await Accepted.Client.WriteAsync(Hello[7..]);
        await Wait.UntilAsync(() => Passed.Count > 0);

        Assert.False(WasNextOnReactor);
        await AssertPassedAsync(Hello, nameof(Verdict.Tls));
        Next.SetResult();
        await serving.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task OnConnection_FinishedWithinTheHello_GoesOnToItsEnd()
    {
        var serving = Serve();
        await Accepted.Client.WriteAsync(Hello[..50]);

        await Accepted.Client.FinishAsync();
        await Wait.UntilAsync(() => Passed.Count > 0);

        await AssertPassedAsync(Hello[..50], nameof(Verdict.NeedMore));
        Next.SetResult();
        await serving.WaitAsync(Wait.Bound);
    }

    private async Task AssertSilentlyClosedAsync()
    {
        Assert.Empty(Passed);
        Assert.Contains(Log, line => line.Event == "HeadTimedOut");
        await Accepted.Connection.DisposeAsync();
        await Accepted.Client.EndsInOrderAsync(); // Or not, since something is unread; but without a byte.
        Assert.Equal(0, Backend.Connections);
    }

    public sealed class OnPipe() : LateHelloTests(Accepted.ByKestrel());

    public sealed class OnEpoll() : LateHelloTests(Accepted.ByReactor(ReactorMode.Epoll));

    public sealed class OnIoUring() : LateHelloTests(Accepted.ByReactor(ReactorMode.IoUring));

    public sealed class BeforeKestrel() : LateHelloTests(Accepted.BeforeKestrel());
}
