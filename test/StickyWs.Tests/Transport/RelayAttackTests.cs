using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.TestKit;
using SocketFlags = System.Net.Sockets.SocketFlags;

namespace StickyWs.Tests.Transport;

/// <summary>Peers that break off, or speak, in ways that the kernel reports once, late or not at all.</summary>
public abstract class RelayAttackTests(ReactorMode mode)
{
    private const int Bulk = 8_000_000;

    private static readonly byte[] Urgent = "!"u8.ToArray();

    // The backend stalls, so the client is paused; then the backend speaks and the client breaks in one turn. The send that fails takes the error with it.
    [Fact]
    public async Task ClientThatBreaksWhileItsBackendStalls_InTheTurnInWhichTheBackendSpeaks_EndsThePair()
    {
        await using var rig = new RelayRig(mode);
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
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (first, second) = pair.Ends(fromClient);

        await first.FinishAsync();
        Assert.Equal("", await second.ReadTextToEndAsync());
        first.Reset();

        Assert.Equal(fromClient ? EndReason.ClientClosed : EndReason.BackendClosed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    // The urgent byte itself travels out of band and goes no further, as in any proxy; nothing around it may be lost or held up.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UrgentData_HoldsNothingUp(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (sender, receiver) = pair.Ends(fromClient);

        for (var i = 0; i < 20; i++)
        {
            await sender.WriteAsync("ab");
            Assert.Equal(1, sender.Socket.Send(Urgent, SocketFlags.OutOfBand));
            await sender.WriteAsync("cd");
            Assert.Equal("abcd", await receiver.ReadTextAsync(4));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UrgentData_AmidBulkAndBeforeTheEnd_LosesNothing(bool fromClient)
    {
        await using var rig = new RelayRig(mode);
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

        byte[] expected = [.. Content(0), .. Content(1), .. Content(2), (byte)'e', (byte)'n', (byte)'d'];
        var got = await reading;
        Assert.True(expected.AsSpan().SequenceEqual(got), $"{got.Length} bytes arrived that are not the {expected.Length} that were sent.");
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
}
