using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Tunnels;

/// <summary>Peers that break off, or speak, in ways that the kernel reports once, late or not at all.</summary>
public abstract class RelayAttackTests(ReactorMode mode, bool isOlder = false)
{
    private const int Bulk = 8_000_000;

    /// <summary>More than one buffer, and no more than a connection takes that nobody reads from.</summary>
    private const int Several = 40_000;

    private static readonly byte[] Urgent = "!"u8.ToArray();

    // The backend stalls, so the client is paused; then the backend speaks and the client breaks in one turn. The send that fails takes the error with it.
    [Fact]
    public async Task ClientThatBreaksWhileItsBackendStalls_InTheTurnInWhichTheBackendSpeaks_EndsThePair()
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync(configure: socket => socket.ReceiveBufferSize = 4096);
        await StallAsync(pair);

        using (await rig.HoldAsync())
        {
            await pair.Backend.WriteAsync("are you there?");
            pair.Client.Reset();
            await pair.Backend.WriteAsync("hello?");
        }

        Assert.Equal(EndReason.ClientReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PeerThatBreaksBehindItsOwnFin_EndsThePair(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        await first.FinishAsync();
        Assert.Equal("", await second.ReadTextToEndAsync());
        first.Reset();

        Assert.Equal(fromClient ? EndReason.ClientClosed : EndReason.BackendClosed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    // The urgent byte is one of the stream's, at its place, and urgent no more behind a proxy.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UrgentData_HoldsNothingUp(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);

        for (var i = 0; i < 20; i++)
        {
            await sender.WriteAsync("ab");
            Assert.Equal(1, sender.Socket.Send(Urgent, SocketFlags.OutOfBand));
            await sender.WriteAsync("cd");
            Assert.Equal("ab!cd", await receiver.ReadTextAsync(5));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UrgentData_AmidBulkAndBeforeTheEnd_LosesNothing(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);

        var reading = receiver.ReadToEndAsync();
        for (var i = 0; i < 3; i++)
        {
            await sender.WriteAsync(Content(i));
            Assert.Equal(1, sender.Socket.Send(Urgent, SocketFlags.OutOfBand));
        }

        await sender.WriteAsync("end");
        await sender.FinishAsync();

        byte[] expected = [.. Content(0), .. Urgent, .. Content(1), .. Urgent, .. Content(2), .. Urgent, (byte)'e', (byte)'n', (byte)'d'];
        var got = await reading;
        Assert.True(expected.AsSpan().SequenceEqual(got), $"{got.Length} bytes arrived that are not the {expected.Length} that were sent.");
        Assert.Equal(expected.Length, fromClient ? pair.Witness.ToBackend : pair.Witness.ToClient);
    }

    // What was there before the break may be read; of more than fits on the way the rest may be lost with it, as TCP has it.
    [Theory]
    [InlineData(true, 9)]
    [InlineData(false, 9)]
    [InlineData(true, Several)]
    [InlineData(false, Several)]
    public async Task Bytes_WithABreakRightBehindThem_EndThePairOnBothSides(bool fromClient, int count)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);
        var bytes = Content(1)[..count];

        using (await rig.HoldAsync())
        {
            await sender.WriteAsync(bytes);
            await Wait.UntilAsync(() => SentQueue.IsEmpty(sender.Socket));
            sender.Reset();
        }

        Assert.Equal(fromClient ? EndReason.ClientReset : EndReason.BackendReset, await pair.Witness.Ended.WaitAsync(Wait.Bound));
        var (got, buffer) = (new List<byte>(), new byte[64 * 1024]);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
            {
                var read = await receiver.ReadAsync(buffer);
                Assert.NotEqual(0, read);
                got.AddRange(buffer.AsSpan(0, read));
            }
        });
        Assert.True(bytes.AsSpan().StartsWith(got.ToArray()), $"{got.Count} bytes arrived that are not the first of what was sent.");
    }

    [Theory]
    [InlineData(true, 9)]
    [InlineData(false, 9)]
    [InlineData(true, 200_000)]
    [InlineData(false, 200_000)]
    public async Task Bytes_WithAFinRightBehindThem_ArriveAndThenTheFin(bool fromClient, int count)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);
        var bytes = Content(2)[..count];

        using (await rig.HoldAsync())
        {
            await sender.WriteAsync(bytes);
            await sender.FinishAsync();
            await receiver.WriteAsync("and back");
            await receiver.FinishAsync();
        }

        Assert.Equal(bytes, await receiver.ReadToEndAsync());
        Assert.Equal("and back", await sender.ReadTextToEndAsync());
        Assert.Contains(await pair.Witness.Ended.WaitAsync(Wait.Bound), new[] { EndReason.ClientClosed, EndReason.BackendClosed });
    }

    // The kernel takes a part of what is sent to such a receiver, and then nothing.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReceiverWithASmallBuffer_ThatStallsAndReadsOn_MissesNothing(bool fromClient)
    {
        await using var rig = new RelayRig(mode, isOlder: isOlder);
        var pair = await rig.JoinAsync(configure: socket => socket.ReceiveBufferSize = 32 * 1024);
        var (sender, receiver) = pair.Ends(fromClient);
        var sent = await PairRelayTests.FillAsync(rig, pair, sender, seed: 3);

        await Task.WhenAll(sender.FinishAsync(), PairRelayTests.AssertGetsAsync(receiver, seed: 3, (int)sent));

        Assert.Equal(sent, fromClient ? pair.Witness.ToBackend : pair.Witness.ToClient);
    }

    private static byte[] Content(int seed)
    {
        var bytes = new byte[Bulk];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    // Until the client's own send does not go through at once any more: everything on the way is full.
    private static async Task StallAsync(RelayedPair pair)
    {
        pair.Client.Socket.Blocking = false;
        var chunk = new byte[64 * 1024];
        var moved = -1L;
        while (moved != pair.Witness.ToBackend)
        {
            moved = pair.Witness.ToBackend;
            while (TrySend(pair.Client.Socket, chunk))
            {
            }

            await Wait.UntilAsync(() => pair.Witness.ToBackend > moved || IsFull(pair.Client.Socket));
        }
    }

    private static bool IsFull(Socket socket) => !socket.Poll(0, SelectMode.SelectWrite);

    private static bool TrySend(Socket socket, byte[] chunk)
    {
        try
        {
            return socket.Send(chunk) > 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return false;
        }
    }

    public sealed class OnEpoll() : RelayAttackTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RelayAttackTests(ReactorMode.IoUring);

    public sealed class OnOlderIoUring() : RelayAttackTests(ReactorMode.IoUring, isOlder: true);
}
