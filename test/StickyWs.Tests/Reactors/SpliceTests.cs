using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Tests.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>Bytes in bulk go from socket to socket through a pipe of the kernel's.</summary>
public abstract class SpliceTests(ReactorMode mode, bool isOlder = false)
{
    private const int Large = 64_000_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bulk_IsSplicedAndArrivesExactly(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);
        Assert.Equal(0, rig.Reactor.Pipes);

        await Task.WhenAll(PairRelayTests.PushAsync(sender, seed: 1, 1_000_000, Large), PairRelayTests.AssertGetsAsync(receiver, seed: 1, Large));

        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));
        Assert.Equal(Large, fromClient ? pair.Witness.ToBackend : pair.Witness.ToClient);
    }

    [Fact]
    public async Task SmallMessages_AreNotSpliced()
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        for (var i = 0; i < 200; i++)
        {
            await pair.Client.WriteAsync("a small message");
            Assert.Equal("a small message", await pair.Backend.ReadTextAsync(15));
        }

        Assert.Equal(0, await rig.DoAsync(() => rig.Reactor.Pipes));
    }

    [Fact]
    public async Task BulkThatTurnsToSmallMessages_GoesOnWithoutALoss()
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var content = new Content(2);
        var at = 0L;
        for (var round = 0; round < 5; round++)
        {
            await PassAsync(8_000_000);
            for (var i = 0; i < 50; i++) await PassAsync(10);
        }

        Assert.NotEqual(0, await rig.DoAsync(() => rig.Reactor.Pipes));

        async Task PassAsync(int count)
        {
            var bytes = new byte[count];
            content.Write(bytes, at);
            var writing = pair.Client.WriteAsync(bytes);
            Assert.True(content.Matches(await pair.Backend.ReadExactlyAsync(count), at), $"Other bytes than were sent, behind {at}.");
            await writing;
            at += count;
        }
    }

    // The Close that says farewell is such a piece.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SmallPiece_RightBehindBulk_IsSeen(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);
        for (var round = 0; round < 20; round++)
        {
            await PassAsync(new byte[2_000_000]);
            await PassAsync([0x88, (byte)round]);
            Assert.Equal([0x88, (byte)round], await rig.DoAsync(() => fromClient ? pair.Witness.LastToBackend : pair.Witness.LastToClient));
        }

        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));
        await Task.WhenAll(sender.FinishAsync(), receiver.FinishAsync());
        Assert.True(await receiver.EndsInOrderAsync());

        async Task PassAsync(byte[] bytes)
        {
            var writing = sender.WriteAsync(bytes);
            Assert.Equal(bytes, await receiver.ReadExactlyAsync(bytes.Length));
            await writing;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LastBytesOfBulk_ThatComeWithTheEnd_AreSeen(bool fromClient)
    {
        byte[] close = [0x88, 0x02, 0x03, 0xe8];
        byte[] last = [.. new byte[60_000], .. close];
        for (var round = 0; round < 5; round++)
        {
            await using var rig = new RelayRig(mode, isOlder: isOlder);
            var pair = await rig.JoinAsync();
            var (sender, receiver) = pair.Ends(fromClient);
            var sending = sender.WriteAsync(new byte[4_000_000]);
            await receiver.ReadExactlyAsync(4_000_000);
            await sending;
            using (await rig.HoldAsync())
            {
                await sender.WriteAsync(last);
                await sender.FinishAsync();
            }

            await receiver.ReadExactlyAsync(last.Length);
            Assert.True(await receiver.EndsInOrderAsync());
            var seen = await rig.DoAsync(() => fromClient ? pair.Witness.LastToBackend : pair.Witness.LastToClient);
            Assert.True(seen.AsSpan().EndsWith(close), $"{seen?.Length} bytes");
        }
    }

    [Fact]
    public async Task ReaderThatStallsWhileSplicing_HoldsOnePipeAndLosesNothing()
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();

        var sent = await PairRelayTests.FillAsync(rig, pair, pair.Client, seed: 3);
        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));

        await Task.WhenAll(pair.Client.FinishAsync(), PairRelayTests.AssertGetsAsync(pair.Backend, seed: 3, (int)sent));
    }

    [Fact]
    public async Task WithoutAPipeLeft_BytesAreCopied()
    {
        await using var rig = new RelayRig(mode, mostPipes: 1, isOlder);
        var stalled = await rig.JoinAsync();
        var sent = await PairRelayTests.FillAsync(rig, stalled, stalled.Client, seed: 4);
        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));
        var pair = await rig.JoinAsync();

        await Task.WhenAll(
            PairRelayTests.PushAsync(pair.Client, seed: 5, 1_000_000, Large), PairRelayTests.AssertGetsAsync(pair.Backend, seed: 5, Large),
            PairRelayTests.PushAsync(pair.Backend, seed: 6, 1_000_000, Large), PairRelayTests.AssertGetsAsync(pair.Client, seed: 6, Large));

        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));
        await Task.WhenAll(stalled.Client.FinishAsync(), PairRelayTests.AssertGetsAsync(stalled.Backend, seed: 4, (int)sent));
    }

    [Fact]
    public async Task WithoutAnyPipe_BytesAreCopied()
    {
        await using var rig = new RelayRig(mode, mostPipes: 0, isOlder);
        var pair = await rig.JoinAsync();

        await Task.WhenAll(PairRelayTests.PushAsync(pair.Client, seed: 7, 1_000_000, Large), PairRelayTests.AssertGetsAsync(pair.Backend, seed: 7, Large));

        Assert.Equal(0, rig.Reactor.Pipes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PeerThatBreaksWhileAPipeIsFull_GivesThePipeBack(bool receiverBreaks)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        await PairRelayTests.FillAsync(rig, pair, pair.Client, seed: 8);
        Assert.Equal(1, await rig.DoAsync(() => rig.Reactor.Pipes));

        (receiverBreaks ? pair.Backend : pair.Client).Reset();

        await pair.Witness.Ended.WaitAsync(Wait.Bound);

        // One that was full is gone, one that was free is there for the next; none may be left once all free ones are closed.
        rig.Stop();
        Assert.Equal(0, rig.Reactor.Pipes);
    }

    public sealed class OnEpoll() : SpliceTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : SpliceTests(ReactorMode.IoUring);

    public sealed class OnOlderIoUring() : SpliceTests(ReactorMode.IoUring, isOlder: true);
}
