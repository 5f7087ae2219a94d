using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Tunnels;
using StickyWs.Transport;
using StickyWs.Tunnels;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Reactors;

/// <summary>What the kernel holds for sockets on io_uring, and that it gives it back.</summary>
[Collection(nameof(Alone))]
public sealed class UringReactorTests
{
    /// <summary>
    /// Bytes, twice what is to be expected: one receive of 65 KiB, in an array of the next power of two, and for a moment in one of half its size, too.
    /// </summary>
    private const long MostLeftOver = 512 * 1024;

    [Fact]
    public async Task Abort_OfPairsWithEveryOperationUnderWay_LeavesNothingWithTheKernel()
    {
        await RelayRig.WarmUpAsync(ReactorMode.IoUring);
        await using var rig = new RelayRig(ReactorMode.IoUring);
        var reactor = (UringReactor)rig.Reactor;
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        await rig.TurnAsync(); // The poll of the listener is with the kernel only after the next turn has begun.
        var (operations, sockets) = await rig.DoAsync(() => (reactor.Operations, reactor.Count));
        for (var round = 0; round < 3; round++)
        {
            var pairs = new List<RelayedPair>();
            for (var i = 0; i < 30; i++) pairs.Add(await rig.JoinAsync());
            foreach (var stalled in pairs.Take(3)) await PairRelayTests.FillAsync(rig, stalled, stalled.Client, seed: 1);
            foreach (var stalled in pairs.Skip(2).Take(3)) await PairRelayTests.FillAsync(rig, stalled, stalled.Backend, seed: 2);
            using (await rig.HoldAsync())
            {
                foreach (var pair in pairs.Skip(6).Take(12)) await pair.Client.WriteAsync(new byte[50_000]);
                foreach (var pair in pairs.Skip(12).Take(12)) await pair.Backend.WriteAsync(new byte[50_000]);

                // A third before their bytes are received, a third about then, and the others later.
                for (var i = 0; i < pairs.Count; i++)
                {
                    var pair = pairs[i];
                    if (i % 3 == 0) reactor.Run(() => AbortIfOpen(reactor, pair));
                    else if (i % 3 == 1) pairs[0].Witness.OnEnded += () => Task.Run(() => reactor.Run(() => AbortIfOpen(reactor, pair)));
                }
            }

            foreach (var pair in pairs) reactor.Run(() => AbortIfOpen(reactor, pair));
            foreach (var pair in pairs)
            {
                Assert.Equal(EndReason.None, await pair.Witness.Ended.WaitAsync(Wait.Bound));
                Assert.False(await EndsInOrderAsync(pair.Client));
                Assert.False(await EndsInOrderAsync(pair.Backend));
                await pair.DisposeAsync();
            }

            await Wait.UntilAsync(async () => await rig.DoAsync(() => (reactor.Operations, reactor.Count, reactor.BuffersInUse)) == (operations, sockets, 0));
        }

        await Descriptors.AssertNoMoreThanAsync(before + (2 * await rig.DoAsync(() => reactor.Pipes)), described); // A pipe that is free is kept.
    }

    [Fact]
    public async Task Stop_WithOperationsUnderWay_LeavesNothing()
    {
        await RelayRig.WarmUpAsync(ReactorMode.IoUring);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        await using (var rig = new RelayRig(ReactorMode.IoUring))
        {
            var stalled = await rig.JoinAsync();
            await PairRelayTests.FillAsync(rig, stalled, stalled.Client, seed: 1);
            for (var i = 0; i < 20; i++) await (await rig.JoinAsync()).Client.WriteAsync(new byte[50_000]);
            rig.Stop();
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    // A receive stops short of an urgent mark, which is not reported in bulk; and nothing comes afterwards that would wake the reactor again.
    [Fact]
    public async Task UrgentData_InTheLastBytesOfBulk_HoldsNothingUp()
    {
        const int Large = 20_000; // So many at once go on being bulk.
        await using var rig = new RelayRig(ReactorMode.IoUring);
        var ((client, clientFd), (backend, backendFd), witness) = (rig.Connect(), rig.Connect(), new PairWitness());
        await rig.DoAsync(() =>
        {
            var (one, other) = (new RawSocket(rig.Reactor, clientFd).ReleaseWatched(), new RawSocket(rig.Reactor, backendFd).ReleaseWatched());
            PairRelay.Of(rig.Reactor).Join(one, other, witness, default);
            rig.Reactor.ReceiveInBulk(one.Number);
            return 0;
        });
        await rig.TurnAsync();
        var sent = new byte[2 * Large];
        new Content(1).Write(sent, at: 0);

        using (await rig.HoldAsync())
        {
            client.Send(sent, Large, SocketFlags.None);
            client.Send(sent, Large, 1, SocketFlags.OutOfBand);
            client.Send(sent, Large + 1, Large - 1, SocketFlags.None);
        }

        var got = new byte[sent.Length];
        await new NetworkStream(backend, ownsSocket: true).ReadExactlyAsync(got).AsTask().WaitAsync(Wait.Bound);
        Assert.True(sent.AsSpan().SequenceEqual(got), "Other bytes arrived than were sent.");
        client.Dispose();
        backend.Dispose();
        await witness.Ended.WaitAsync(Wait.Bound);
    }

    // What is left over moves out of the buffers, which are everybody's, into memory of its own: the pieces of a turn, and what the kernel receives until it
    // has heard of it.
    [Fact]
    public async Task StalledReader_UnderAFlood_CostsNoMoreThanABoundedHeap()
    {
        await RelayRig.WarmUpAsync(ReactorMode.IoUring);
        using var pool = new PoolWatch();
        await using var rig = new RelayRig(ReactorMode.IoUring, mostPipes: 0);
        for (var i = 0; i < 5; i++)
        {
            var pair = await rig.JoinAsync();
            await PairRelayTests.FillAsync(rig, pair, i % 2 == 0 ? pair.Client : pair.Backend, seed: i);
            await rig.DoAsync(() => { PairRelay.Of(rig.Reactor).Abort(pair.Number); return 0; });
        }

        Assert.InRange(pool.MostHeld, 1, MostLeftOver);
    }

    private static void AbortIfOpen(UringReactor reactor, RelayedPair pair)
    {
        if (pair.Witness.Ends == 0) PairRelay.Of(reactor).Abort(pair.Number);
    }

    private static async Task<bool> EndsInOrderAsync(Wire wire)
    {
        try
        {
            await wire.ReadToEndAsync();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
