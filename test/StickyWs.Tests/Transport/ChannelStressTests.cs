using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tests.Tls;
using StickyWs.Tests.Tunnels;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>
/// Hundreds of channels whose both sides send, stall, cancel, finish, break and close at random, with readers in the pool and on the reactor; with and
/// without TLS of every kind between.
/// </summary>
[Collection(nameof(Alone))]
public abstract class ChannelStressTests(ReactorMode mode, bool gathers = false, bool isTls = false)
{
    private const int Connections = 3_000;
    private const int AtOnce = 60;
    private const int Longest = 200_000;
    private const int Small = 3_000;

    private static readonly Content[] Contents = [.. Enumerable.Range(0, 7).Select(seed => new Content(seed))];

    [Fact]
    public async Task RandomEnds_OfManyChannels_KeepBytesInOrderAndLeaveNothingBehind()
    {
        if (isTls) Assert.SkipUnless(TlsSupport.FirstRefusal() is null, TlsSupport.FirstRefusal() ?? "");
        using var tls = isTls ? new StressTls() : null;
        await RelayRig.WarmUpAsync(mode);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        await using (var rig = gathers ? RelayRig.ThatGathers() : new RelayRig(mode))
        {
            var sockets = await rig.DoAsync(() => rig.Reactor.Count);
            var some = new ParallelOptions { MaxDegreeOfParallelism = AtOnce };
            await Parallel.ForEachAsync(Enumerable.Range(0, Connections), some, (seed, _) => new ValueTask(RunAsync(rig, seed, tls)));
            await Wait.UntilAsync(async () => await rig.DoAsync(() => rig.Reactor.Count) == sockets);
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
        tls?.AssertNothingIsLeft();
    }

    // Both go on until one has had enough.
    private static async Task RunAsync(RelayRig rig, int seed, StressTls? tls)
    {
        var random = new Random(seed);
        Socket outer;
        int inner;
        lock (rig) (outer, inner) = rig.Connect();
        var (peers, ours) = tls?.Connect(random, isClient: random.Next(2) == 0) ?? default;
        using var peersEnd = peers;
        var within = peers is null ? null : new TlsEndStream(outer, peers);
        await using var peer = new Wire(outer, within ?? (Stream)new NetworkStream(outer, ownsSocket: true));
        var owner = new ChannelWitness();
        var scheduler = random.Next(2) == 0 ? PipeScheduler.ThreadPool : PipeScheduler.Inline;
        var input = new PipeOptions(
            readerScheduler: scheduler,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 30_000,
            resumeWriterThreshold: 15_000,
            useSynchronizationContext: false);
        TlsStart? start = ours is null ? null : new TlsStart(ours, default);
        var channel = new Channel(new RawSocket(rig.Reactor, inner), owner, input, isReadToTheEnd: random.Next(2) == 0, start);
        channel.Start();
        var sides = new[]
        {
            SendAsync(channel, Contents[seed % 7], new Random(seed + 1)),
            ReceiveAsync(channel, Contents[seed % 5], new Random(seed + 2)),
            SendAsync(peer, within, Contents[seed % 5], new Random(seed + 3)),
            ReceiveAsync(peer, Contents[seed % 7], new Random(seed + 4)),
        };
        try
        {
            await (await Task.WhenAny(sides)).WaitAsync(Wait.Bound);
        }
        finally
        {
            if (random.Next(3) == 0) peer.Reset();
            channel.Close(new ConnectionAbortedException(), isReset: random.Next(2) == 0);
            channel.Close(new ConnectionAbortedException(), isReset: true);
            peer.Reset();
        }

        foreach (var side in sides) await side.WaitAsync(Wait.Bound);
        await owner.Ended.WaitAsync(Wait.Bound);
        Assert.Equal(1, owner.Ends);
        Assert.NotEqual(TlsStatus.Failed, ours?.Status);
    }

    private static async Task SendAsync(Channel channel, Content content, Random random)
    {
        try
        {
            for (long at = 0; random.Next(12) > 0;)
            {
                var bytes = new byte[random.Next(random.Next(2) == 0 ? Small : Longest)];
                content.Write(bytes, at);
                at += bytes.Length;
                using var cancel = random.Next(20) == 0 ? new CancellationTokenSource(TimeSpan.FromMilliseconds(1)) : null;
                await channel.SendAsync(bytes.AsMemory(), cancel?.Token ?? default);
                if (random.Next(3) == 0) await Task.Yield();
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Broken, closed, or cancelled in the midst of it.
        }
    }

    private static async Task ReceiveAsync(Channel channel, Content content, Random random)
    {
        try
        {
            for (long at = 0; random.Next(200) > 0;)
            {
                var read = await channel.Input.ReadAsync();
                var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, random.Next(1, Longest)));
                Assert.True(content.Matches(taken.ToArray(), at));
                at += taken.Length;
                channel.Input.AdvanceTo(taken.End);
                if (read.IsCompleted && taken.IsEmpty) return;
                if (random.Next(10) == 0) await Task.Yield();
            }
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException)
        {
            // Broken or closed.
        }

        await channel.Input.CompleteAsync();
    }

    private static async Task SendAsync(Wire peer, TlsEndStream? within, Content content, Random random)
    {
        try
        {
            for (long at = 0; random.Next(12) > 0;)
            {
                var bytes = new byte[random.Next(Longest)];
                content.Write(bytes, at);
                at += bytes.Length;
                await peer.WriteAsync(bytes);
            }

            if (random.Next(2) == 0) await (within?.FinishAsync() ?? peer.FinishAsync());
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // Broken or closed.
        }
    }

    private static async Task ReceiveAsync(Wire peer, Content content, Random random)
    {
        try
        {
            var buffer = new byte[Longest];
            for (long at = 0; random.Next(100) > 0;)
            {
                var read = await peer.ReadAsync(buffer.AsMemory(0, random.Next(1, Longest)));
                Assert.True(content.Matches(buffer.AsSpan(0, read), at));
                at += read;
                if (read == 0) return;
                if (random.Next(10) == 0) await Task.Yield();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Broken or closed.
        }
    }

    public sealed class OnEpoll() : ChannelStressTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : ChannelStressTests(ReactorMode.IoUring);

    public sealed class OnIoUringThatGathers() : ChannelStressTests(ReactorMode.IoUring, gathers: true);

    public sealed class OnEpollWithTls() : ChannelStressTests(ReactorMode.Epoll, isTls: true);

    public sealed class OnIoUringWithTls() : ChannelStressTests(ReactorMode.IoUring, isTls: true);

    public sealed class OnIoUringThatGathersWithTls() : ChannelStressTests(ReactorMode.IoUring, gathers: true, isTls: true);
}
