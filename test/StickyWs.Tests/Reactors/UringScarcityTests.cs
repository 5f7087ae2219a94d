using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Tunnels;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>
/// A reactor on io_uring that runs out of what it has: buffers, room for operations, room for completions. Each is a state, and costs nobody a byte.
/// </summary>
public sealed class UringScarcityTests
{
    private const int Total = 3_000_000;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task FewBuffers_UnderBulkBothWays_LoseNothingAndHoldNobodyUp(int buffers)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, buffers: buffers));
        var reactor = (UringReactor)rig.Reactor;
        var stalled = await rig.JoinAsync();
        var sent = await PairRelayTests.FillAsync(rig, stalled, stalled.Client, seed: 100);
        var sentBack = await PairRelayTests.FillAsync(rig, stalled, stalled.Backend, seed: 101);
        var hasRunOut = false;
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 12; i++)
        {
            pairs.Add(await rig.JoinAsync());
            pairs[i].Witness.OnToBackend = () => hasRunOut |= reactor.BuffersInUse == buffers;
        }

        using (await rig.HoldAsync())
        {
            // All at once have something, and more than there is room for.
            foreach (var pair in pairs) pair.Client.Socket.Send(new byte[1]);
        }

        foreach (var pair in pairs) await pair.Backend.ReadTextAsync(1);
        await Task.WhenAll(pairs.SelectMany((pair, i) => BothWays(pair, i)));

        Assert.True(hasRunOut);
        Assert.False(stalled.Witness.Ended.IsCompleted);
        await Task.WhenAll(
            stalled.Client.FinishAsync(), stalled.Backend.FinishAsync(),
            PairRelayTests.AssertGetsAsync(stalled.Backend, seed: 100, (int)sent), PairRelayTests.AssertGetsAsync(stalled.Client, seed: 101, (int)sentBack));
    }

    // Each word would take a buffer of its own, for ever.
    [Fact]
    public async Task WordsToAllAtOnce_TakeFewBuffers()
    {
        const int buffers = 2;
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, buffers: buffers));
        var reactor = (UringReactor)rig.Reactor;
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 20; i++)
        {
            var pair = await rig.JoinAsync();
            await rig.DoAsync(() => (pair.Witness.FromClient, pair.Witness.FromBackend) = (FrameCursor.OfClient, FrameCursor.OfBackend));
            pairs.Add(pair);
        }

        var word = new Goodbye(1012, "", EndReason.HandedOff, TimeSpan.FromMinutes(1));
        var inUse = await rig.DoAsync(() =>
        {
            foreach (var pair in pairs) PairRelay.Of(reactor).Say(pair.Number, word);
            return reactor.BuffersInUse;
        });

        Assert.InRange(inUse, 1, 4 * buffers);
        foreach (var pair in pairs) Assert.Equal([0x88, 2, 3, 0xF4], await pair.Client.ReadExactlyAsync(4));
    }

    // Nobody else brings the reactor back from its wait when all wait for buffers.
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(256)]
    public async Task AllBuffersInUse_ByAllThatSend_AreThereAgainWhenTheSendsAreDone(int buffers)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, buffers: buffers));
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 20; i++) pairs.Add(await rig.JoinAsync());
        const int each = 1_000_000;
        var reading = pairs.Select((pair, i) => PairRelayTests.AssertGetsAsync(pair.Backend, seed: i, each)).ToArray();

        Task[] pushing;
        using (await rig.HoldAsync())
        {
            pushing = [.. pairs.Select((pair, i) => PairRelayTests.PushAsync(pair.Client, seed: i, 1_000_000, each))];
            await Wait.UntilAsync(() => pairs.All(pair => !SentQueue.IsEmpty(pair.Client.Socket)));
        }

        await Task.WhenAll([.. pushing, .. reading]);
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(8, 16)]
    public async Task TinyQueues_UnderManyPairs_OverflowAndLoseNothing(int submissions, int completions)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, submissions, completions));
        var reactor = (UringReactor)rig.Reactor;
        var hasOverflown = false;
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 30; i++)
        {
            pairs.Add(await rig.JoinAsync());
            pairs[i].Witness.OnToBackend = () => hasOverflown |= reactor.HasOverflown;
        }

        for (var round = 0; round < 50; round++)
        {
            using (await rig.HoldAsync())
            {
                foreach (var pair in pairs)
                {
                    await pair.Client.WriteAsync("ping");
                    await pair.Backend.WriteAsync("pong");
                }
            }

            foreach (var pair in pairs)
            {
                Assert.Equal("ping", await pair.Backend.ReadTextAsync(4));
                Assert.Equal("pong", await pair.Client.ReadTextAsync(4));
            }
        }

        Assert.True(hasOverflown);
        await Task.WhenAll(pairs.Take(10).SelectMany((pair, i) => BothWays(pair, i)));
    }

    // Sends that fall short say so in completions for which there is no room.
    [Theory]
    [InlineData(2, 4)]
    [InlineData(8, 16)]
    public async Task TinyQueues_WithReadersThatStall_LoseNothing(int submissions, int completions)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, submissions, completions));
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 6; i++) pairs.Add(await rig.JoinAsync());

        var sent = await Task.WhenAll(pairs.Select((pair, i) => PairRelayTests.FillAsync(rig, pair, pair.Ends(i % 2 == 0).Sender, seed: i)));

        await Task.WhenAll(pairs.Select(async (pair, i) =>
        {
            var (sender, receiver) = pair.Ends(i % 2 == 0);
            await sender.FinishAsync();
            await PairRelayTests.AssertGetsAsync(receiver, seed: i, (int)sent[i]);
        }));
    }

    // A poll that ended for want of room, and is asked for again at once, takes the room again: those of a few readable sockets all of it.
    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    public async Task TinyQueues_WhenManyTurnToBulkAtOnce_LetTheSendsBeConcluded(int completions)
    {
        const int before = 200_000, after = 8_000_000;
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, submissions: 2, completions));
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 5 * completions; i++) pairs.Add(await rig.JoinAsync());
        foreach (var pair in pairs) await Task.WhenAll(pair.Client.WriteAsync(new byte[before]), pair.Backend.ReadExactlyAsync(before));

        Task[] pushing;
        using (await rig.HoldAsync())
        {
            pushing = [.. pairs.Select((pair, i) => PairRelayTests.PushAsync(pair.Client, seed: i, 1_000_000, after))];
            await Wait.UntilAsync(() => pairs.All(pair => !SentQueue.IsEmpty(pair.Client.Socket)));
        }

        await Task.WhenAll([.. pushing, .. pairs.Select((pair, i) => PairRelayTests.AssertGetsAsync(pair.Backend, seed: i, after))]);
    }

    // The reactor sends, closes and cancels more in one turn than there is room for.
    [Theory]
    [InlineData(4)]
    [InlineData(256)]
    public async Task TinyQueues_WhenAllPairsBreakAtOnce_EndEach(int buffers)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.CreateScarce(onFailure, submissions: 2, completions: 4, buffers));
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 40; i++) pairs.Add(await rig.JoinAsync());

        using (await rig.HoldAsync())
        {
            for (var i = 0; i < pairs.Count; i++)
            {
                var (sender, _) = pairs[i].Ends(i % 2 == 0);
                await sender.WriteAsync(new byte[40_000]);
                if (i % 4 < 2) sender.Reset();
                else await sender.FinishAsync();
            }
        }

        for (var i = 0; i < pairs.Count; i++)
        {
            var (sender, receiver) = pairs[i].Ends(i % 2 == 0);
            if (i % 4 >= 2)
            {
                Assert.Equal(40_000, (await receiver.ReadToEndAsync()).Length);
                await receiver.FinishAsync();
                Assert.True(await sender.EndsInOrderAsync());
            }

            await pairs[i].Witness.Ended.WaitAsync(Wait.Bound);
        }
    }

    private static Task[] BothWays(RelayedPair pair, int seed) =>
    [
        PairRelayTests.PushAsync(pair.Client, seed, 200_000, Total), PairRelayTests.PushAsync(pair.Backend, seed + 50, 200_000, Total),
        PairRelayTests.AssertGetsAsync(pair.Backend, seed, Total), PairRelayTests.AssertGetsAsync(pair.Client, seed + 50, Total),
    ];
}
