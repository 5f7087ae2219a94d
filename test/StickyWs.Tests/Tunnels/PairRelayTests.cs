using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tunnels;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Tunnels;

/// <summary>How pairs move bytes and how they end, on real sockets.</summary>
public abstract class PairRelayTests(ReactorMode mode)
{
    private const int Chunk = 64 * 1024;

    /// <summary>More than all buffers on the way can hold.</summary>
    private const int More = 200_000_000;

    public static TheoryData<bool> BothDirections { get; } = new(true, false);

    [Theory]
    [InlineData(1, 3_000)]
    [InlineData(200, 200_000)]
    [InlineData(64 * 1024, 8_000_000)]
    [InlineData(1024 * 1024, 48_000_000)]
    public async Task Bytes_InRandomChunksBothWays_ArriveExactly(int longest, int total)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();

        await Task.WhenAll(
            PushAsync(pair.Client, seed: 1, longest, total), PushAsync(pair.Backend, seed: 2, longest, total),
            AssertGetsAsync(pair.Backend, seed: 1, total), AssertGetsAsync(pair.Client, seed: 2, total));

        Assert.Contains(await pair.Witness.Ended.WaitAsync(Wait.Bound), new[] { EndReason.ClientClosed, EndReason.BackendClosed });
        Assert.Equal(total, pair.Witness.ToBackend);
        Assert.Equal(total, pair.Witness.ToClient);
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public async Task Fin_OfOneSide_IsPassedOnAndTheOtherMaySpeakOn(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        await first.WriteAsync("last words");
        await first.FinishAsync();
        Assert.Equal("last words", await second.ReadTextToEndAsync());
        Assert.False(pair.Witness.Ended.IsCompleted);
        for (var i = 0; i < 10; i++)
        {
            await second.WriteAsync("more");
            Assert.Equal("more", await first.ReadTextAsync(4));
        }

        await second.FinishAsync();

        Assert.True(await first.EndsInOrderAsync());
        Assert.Equal(fromClient ? EndReason.ClientClosed : EndReason.BackendClosed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public async Task Fin_RightBehindBulk_LosesNothing(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        await Task.WhenAll(PushAsync(first, seed: 3, 300_000, 5_000_000), AssertGetsAsync(second, seed: 3, 5_000_000));
        await second.FinishAsync();

        Assert.True(await first.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public async Task Rst_OfOneSide_IsAnRstForTheOther(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        first.Reset();

        Assert.False(await second.EndsInOrderAsync());
        Assert.Equal(fromClient ? EndReason.ClientReset : EndReason.BackendReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public async Task Rst_BehindAFinOfTheOther_IsStillSeen(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        await first.FinishAsync();
        Assert.Equal("", await second.ReadTextToEndAsync());
        second.Reset();

        Assert.False(await first.EndsInOrderAsync());
        Assert.Equal(fromClient ? EndReason.ClientClosed : EndReason.BackendClosed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Rst_RightBehindLastWords_LetsTheClientReadThem()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var words = new byte[9];

        using (await rig.HoldAsync())
        {
            await pair.Backend.WriteAsync("farewell!");
            pair.Backend.Reset();
        }

        await pair.Client.Socket.ReceiveAsync(words, SocketFlags.None, Wait.Token());
        Assert.Equal("farewell!"u8.ToArray(), words);
        Assert.False(await pair.Client.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public async Task Reader_ThatStalls_StopsTheSenderAndLosesNothing(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);

        var sent = await FillAsync(rig, pair, sender, seed: 4);

        Assert.InRange(sent, 1, More - 1); // The four buffers of the kernel between both peers may grow to tens of megabytes.
        Assert.False(pair.Witness.Ended.IsCompleted);
        await receiver.WriteAsync("the other way is free");
        Assert.Equal("the other way is free", await sender.ReadTextAsync(21));
        await Task.WhenAll(sender.FinishAsync(), AssertGetsAsync(receiver, seed: 4, (int)sent));
    }

    [Fact]
    public async Task Rst_OfAClientWhoseBackendStalls_EndsThePairAtOnce()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        await FillAsync(rig, pair, pair.Client, seed: 5);

        pair.Client.Reset();

        Assert.Equal(EndReason.ClientReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        await pair.Backend.WaitForEndAsync();
    }

    // The break is reported once, in the same turn in which the backend takes a little; what the client left behind fills the backend again.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Rst_OfAClientWhoseBackendTakesALittle_EndsThePairAtOnce(int round)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        await FillAsync(rig, pair, pair.Client, seed: 10 + round);

        using (await rig.HoldAsync())
        {
            // As much as has the kernel report that there is room again.
            while (pair.Backend.Socket.Available > 0) await pair.Backend.ReadAsync(new byte[Chunk]);
            pair.Client.Reset();
        }

        Assert.Equal(EndReason.ClientReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        await pair.Backend.WaitForEndAsync();
    }

    // Its last bytes may be lost with the break, as TCP has it; what comes is exact.
    [Fact]
    public async Task Rst_OfABackendWhoseClientStalls_LetsTheClientReadOn()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        await FillAsync(rig, pair, pair.Backend, seed: 6);

        pair.Backend.Reset();
        await rig.TurnAsync();
        Assert.False(pair.Witness.Ended.IsCompleted);

        var (content, got, buffer) = (new Content(6), 0L, new byte[Chunk]);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
            {
                var read = await pair.Client.ReadAsync(buffer);
                Assert.NotEqual(0, read);
                Assert.True(content.Matches(buffer.AsSpan(0, read), got), $"Other bytes than were sent, behind {got}.");
                got += read;
            }
        });
        Assert.NotEqual(0, got);
        Assert.Equal(EndReason.BackendReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task BothStall_AndBothAreReset_EndsThePairOnce()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        await FillAsync(rig, pair, pair.Client, seed: 7);
        await FillAsync(rig, pair, pair.Backend, seed: 8);

        using (await rig.HoldAsync())
        {
            pair.Backend.Reset();
            pair.Client.Reset();
        }

        Assert.Contains(await pair.Witness.Ended.WaitAsync(Wait.Bound), new[] { EndReason.ClientReset, EndReason.BackendReset });
    }

    [Fact]
    public async Task Join_OfPeersThatHaveSpokenAndGone_PassesAllOn()
    {
        await using var rig = new RelayRig(mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        await using var clientWire = new Wire(client, new NetworkStream(client, ownsSocket: true));
        await using var backendWire = new Wire(backend, new NetworkStream(backend, ownsSocket: true));
        await clientWire.WriteAsync("from the client");
        await clientWire.FinishAsync();
        await backendWire.WriteAsync("from the backend");
        await backendWire.FinishAsync();

        var witness = new PairWitness();
        await rig.DoAsync(() => rig.Join(clientFd, backendFd, witness));

        Assert.Equal("from the client", await backendWire.ReadTextToEndAsync());
        Assert.Equal("from the backend", await clientWire.ReadTextToEndAsync());
        await witness.Ended.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task Abort_BreaksBothSides()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();

        rig.Reactor.Run(() => PairRelay.Of(rig.Reactor).Abort(pair.Number));

        Assert.Equal(EndReason.None, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        Assert.False(await pair.Client.EndsInOrderAsync());
        Assert.False(await pair.Backend.EndsInOrderAsync());
    }

    [Fact]
    public async Task Stop_OfTheReactor_BreaksAllPairs()
    {
        await using var rig = new RelayRig(mode);
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 20; i++) pairs.Add(await rig.JoinAsync());

        rig.Stop();

        foreach (var pair in pairs)
        {
            Assert.Equal(EndReason.Shutdown, await pair.Witness.Ended.WaitAsync(Wait.Bound));
            Assert.False(await pair.Client.EndsInOrderAsync());
            Assert.False(await pair.Backend.EndsInOrderAsync());
        }
    }

    [Fact]
    public async Task Bulk_OfOnePair_LetsAnotherHaveItsTurn()
    {
        await using var rig = new RelayRig(mode);
        var bulk = await rig.JoinAsync();
        var other = await rig.JoinAsync();
        var bulkBefore = long.MaxValue;
        other.Witness.OnToBackend = () => bulkBefore = bulk.Witness.ToBackend;
        Task pushing;
        var reading = AssertGetsAsync(bulk.Backend, seed: 9, 64_000_000);
        using (await rig.HoldAsync())
        {
            pushing = PushAsync(bulk.Client, seed: 9, 1_000_000, 64_000_000);
            await Wait.UntilAsync(() => !SentQueue.IsEmpty(bulk.Client.Socket));
            await other.Client.WriteAsync("me too");
        }

        Assert.Equal("me too", await other.Backend.ReadTextAsync(6));
        Assert.InRange(bulkBefore, 0, 1_000_000);
        await Task.WhenAll(pushing, reading);
    }

    internal static async Task PushAsync(Wire wire, int seed, int longest, int total)
    {
        var content = new Content(seed);
        var random = new Random(seed);
        var chunk = new byte[longest];
        for (var sent = 0; sent < total;)
        {
            var bytes = chunk.AsMemory(0, Math.Min(total - sent, random.Next(1, longest + 1)));
            content.Write(bytes.Span, sent);
            await wire.WriteAsync(bytes);
            sent += bytes.Length;
        }

        await wire.FinishAsync();
    }

    internal static async Task AssertGetsAsync(Wire wire, int seed, int total)
    {
        var content = new Content(seed);
        var buffer = new byte[256 * 1024];
        var got = 0L;
        while (await wire.ReadAsync(buffer) is > 0 and var read)
        {
            Assert.True(content.Matches(buffer.AsSpan(0, read), got), $"Other bytes than were sent, behind {got} of {total}.");
            got += read;
        }

        Assert.Equal(total, got);
    }

    /// <summary>Sends until the kernel takes no more and the reactor moves no more.</summary>
    internal static async Task<long> FillAsync(RelayRig rig, RelayedPair pair, Wire sender, int seed)
    {
        var content = new Content(seed);
        var chunk = new byte[Chunk];
        var sent = 0L;
        sender.Socket.Blocking = false;
        for (var still = 0; still < 20 && sent < More;)
        {
            content.Write(chunk, sent);
            var taken = sender.Socket.Send(chunk, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                (sent, still) = (sent + taken, 0);
                continue;
            }

            Assert.Equal(SocketError.WouldBlock, error);
            var moves = pair.Witness.Moves;
            await rig.TurnAsync();
            sender.Socket.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectWrite); // The kernel's own work between two sockets.
            still = pair.Witness.Moves == moves ? still + 1 : 0;
        }

        return sent;
    }

    public sealed class OnEpoll() : PairRelayTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : PairRelayTests(ReactorMode.IoUring);
}
