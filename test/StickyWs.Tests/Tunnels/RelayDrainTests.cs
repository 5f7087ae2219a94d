using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Tunnels;

/// <summary>
/// What a side has said before it is gone is delivered, whatever the other side still sends; and what is held for one that does not read is bounded.
/// </summary>
public abstract class RelayDrainTests(ReactorMode mode, bool isOlder = false)
{
    // What the kernels between two ends hold for a reader who does not read.
    private const int LastWords = 128 * 1024;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rst_BehindAFin_OfASideWhoseWordsAreUnread_LosesNone(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);
        var words = await SayAsync(first, LastWords);
        await first.FinishAsync();
        await Wait.UntilAsync(() => SentQueue.IsEmpty(first.Socket));
        await first.DisposeAsync();

        for (var i = 0; i < 1024; i++) await second.WriteAsync(new byte[16 * 1024]); // Beyond what the kernels hold: somebody must take it.

        Assert.Equal(words, await second.ReadToEndAsync());
        await second.DisposeAsync();
        Assert.Equal(fromClient ? EndReason.ClientClosed : EndReason.BackendClosed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Rst_OfABackendWhoseWordsAreUnread_LosesNoneAndIsSeen()
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var words = await SayAsync(pair.Backend, LastWords);
        await Wait.UntilAsync(() => SentQueue.IsEmpty(pair.Backend.Socket));

        pair.Backend.Reset();

        Assert.Equal(words, await pair.Client.ReadExactlyAsync(LastWords));
        Assert.False(await pair.Client.EndsInOrderAsync());
        Assert.Equal(EndReason.BackendReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reader_ThatStalls_IsHeldABoundedPartOfWhatIsSentToIt(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        for (var i = 0; i < 8; i++)
        {
            var pair = await rig.JoinAsync();
            var (first, _) = pair.Ends(fromClient);
            var held = await rig.DoAsync(() => rig.Reactor.Held);

            Assert.InRange(await StallAsync(rig, pair, first, held) - held, 1, Bound);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reader_ThatWasFastAndStalls_IsHeldABoundedPartOfWhatIsSentToIt(bool fromClient)
    {
        const int Fast = 32 * 1024 * 1024;
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);
        var reading = second.ReadExactlyAsync(Fast);
        for (var i = 0; i < Fast / (64 * 1024); i++) await first.WriteAsync(new byte[64 * 1024]);
        await reading;

        Assert.InRange(await StallAsync(rig, pair, first, held: 0), 1, Bound);
    }

    // What is held then. On a busy machine the kernel may take its time to move what it has room for, also after the first look.
    private static async Task<long> StallAsync(RelayRig rig, RelayedPair pair, Wire sender, long held)
    {
        var seen = held;
        await Wait.UntilAsync(async () =>
        {
            await PairRelayTests.FillAsync(rig, pair, sender, seed: 1);
            return (seen = await rig.DoAsync(() => rig.Reactor.Held)) > held;
        });
        return seen;
    }

    /// <summary>Of what is held for one reader.</summary>
    protected virtual long Bound => SocketReactor.DefaultBufferSize + 1024; // For the heads of frames.

    private static async Task<byte[]> SayAsync(Wire wire, int count)
    {
        var words = new byte[count];
        new Random(count).NextBytes(words);
        await wire.WriteAsync(words);
        return words;
    }

    public sealed class OnEpoll() : RelayDrainTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RelayDrainTests(ReactorMode.IoUring)
    {
        protected override long Bound => OperatingSystem.IsOSPlatformVersionAtLeast("Linux", 6, 17) ? base.Bound : OnOlderIoUring.Most;
    }

    public sealed class OnOlderIoUring() : RelayDrainTests(ReactorMode.IoUring, isOlder: true)
    {
        // A receive brings 32 buffers of 8 KiB in one go, and may do so twice more before it is cancelled.
        public const long Most = SocketReactor.DefaultBufferSize + (3 * 256 * 1024);

        protected override long Bound => Most;
    }
}
