using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tests.Transport;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tests.Tls;

/// <summary>Peers that ask for answers of TLS itself, and do not read them.</summary>
public sealed class ReplyFloodTests : ClientTest
{
    // More than the kernel keeps for a socket, both ways.
    private const int MostSent = 64 * 1024 * 1024;
    private const int KeyUpdateSize = 27;

    // Otherwise they take a quarter of a million of KeyUpdates.
    private const int KernelBuffer = 32 * 1024;

    public static TheoryData<ReactorMode, bool> Sides => HalfRecordTests.Sides;

    // OpenSSL answers at once.
    [Theory]
    [MemberData(nameof(Sides))]
    public async Task KeyUpdates_OfAPeerThatReadsNoAnswers_PauseItUntilItDoes(ReactorMode mode, bool isClient)
    {
        var (ours, sends, reads) = Connect(keepsSsl: true, isClient);
        await using var rig = new RelayRig(mode);
        var tls = new TlsStart(ours, default);
        var pair = await rig.JoinAsync(
            default, static outer => outer.SendBufferSize = KernelBuffer, isClient ? tls : null, isClient ? null : tls,
            static inner => (inner.SendBufferSize, inner.ReceiveBufferSize) = (KernelBuffer, KernelBuffer));
        var (flooder, other) = pair.Ends(isClient);

        var (sent, asked, rest) = await FloodAsync(rig, flooder.Socket, sends);
        Assert.InRange(sent, 1, MostSent - 1);

        // Now it reads, and so everything goes on.
        var reading = ReadToDataAsync(flooder, reads);
        await flooder.WriteAsync((byte[])[.. rest, .. sends.Data("asked"u8)]);
        Assert.Equal("asked", await other.ReadTextAsync(5));
        await other.WriteAsync("answered");

        var (answers, data) = await reading;
        Assert.Equal((asked, "answered"), (answers, data));
    }

    // The own records answer with the next data: nothing is ever owed but one KeyUpdate.
    [Theory]
    [MemberData(nameof(Sides))]
    public async Task KeyUpdates_OfAPeerThatReadsNoAnswers_OweOneWithOwnRecords(ReactorMode mode, bool isClient)
    {
        var (ours, sends, reads) = Connect(keepsSsl: false, isClient);
        await using var rig = new RelayRig(mode);
        var tls = new TlsStart(ours, default);
        var pair = await rig.JoinAsync(default, null, isClient ? tls : null, isClient ? null : tls);
        var (flooder, other) = pair.Ends(isClient);

        for (var i = 0; i < 5000; i++)
        {
            await flooder.WriteAsync((byte[])[.. AskForUpdate(sends), .. sends.Data("x"u8)]);
            if (i % 100 == 99) await other.ReadExactlyAsync(100);
        }

        await rig.TurnAsync();
        Assert.Equal(0, flooder.Socket.Available);
        await other.WriteAsync("answered");
        Assert.Equal(22, Assert.Single(reads.Open(await flooder.ReadExactlyAsync(KeyUpdateSize))).Type);
        reads.Update();
        Assert.Equal("answered"u8.ToArray(), Assert.Single(reads.Open(await flooder.ReadExactlyAsync(8 + 22))).Content);
    }

    // It has no other side whose peer could be made to wait.
    [Theory]
    [InlineData(ReactorMode.Epoll)]
    [InlineData(ReactorMode.IoUring)]
    public async Task KeyUpdates_OfAClientThatReadsNoAnswers_EndItsChannel(ReactorMode mode)
    {
        var (ours, sends, _) = Connect(keepsSsl: true, isServer: true);
        await using var rig = new RelayRig(mode);
        var (outer, inner) = rig.Connect();
        using (var kept = new Socket(new SafeSocketHandle(inner, ownsHandle: false))) kept.SendBufferSize = kept.ReceiveBufferSize = KernelBuffer;
        outer.SendBufferSize = outer.ReceiveBufferSize = KernelBuffer;
        await using var flooder = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        var owner = new ChannelWitness();
        var channel = new Channel(new RawSocket(rig.Reactor, inner), owner, PipeOptions.Default, isReadToTheEnd: false, new TlsStart(ours, default));
        channel.Start();

        var flooding = FloodToTheEndAsync(flooder, sends);
        await owner.Ended.WaitAsync(Wait.Bound);

        Assert.Equal("The TLS connection failed: the client takes no replies", channel.Failure?.Message);
        channel.Close(new ConnectionAbortedException(), isReset: true);
        await flooding;
    }

    private static async Task FloodToTheEndAsync(Wire flooder, RecordForge sends)
    {
        try
        {
            for (var sent = 0; sent < MostSent; sent += 300 * KeyUpdateSize)
                await flooder.WriteAsync(OwnRecordsTest.Join([.. Enumerable.Range(0, 300).Select(_ => AskForUpdate(sends))]));
        }
        catch (IOException)
        {
            // It was given up.
        }
    }

    // OpenSSL seals nothing within a message, and the peer never ends it.
    [Theory]
    [MemberData(nameof(Sides))]
    public async Task UnfinishedMessage_WhileMuchWaitsForItsEnd_EndsThePair(ReactorMode mode, bool isClient)
    {
        var (ours, sends, _) = Connect(keepsSsl: true, isClient);
        await using var rig = new RelayRig(mode);
        var tls = new TlsStart(ours, default);
        var pair = await rig.JoinAsync(default, null, isClient ? tls : null, isClient ? null : tls);
        var (holder, other) = pair.Ends(isClient);
        await holder.WriteAsync((byte[])[.. sends.Data("x"u8), .. sends.Seal(22, [24, 0, 0, 1])]);
        Assert.Equal("x", await other.ReadTextAsync(1));

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            for (var sent = 0; sent < MostSent; sent += 16_384) await other.WriteAsync(new byte[16_384]);
        });

        Assert.Equal(isClient ? EndReason.TlsFailed : EndReason.BackendTlsFailed, await pair.Witness.Ended.WaitAsync(Wait.Bound));
    }

    // OpenSSL's last answer comes with the data.
    private static async Task<(int Answers, string Data)> ReadToDataAsync(Wire wire, RecordForge reads)
    {
        for (var answers = 0; ; answers++)
        {
            var head = await wire.ReadExactlyAsync(5);
            var body = await wire.ReadExactlyAsync((head[3] << 8) | head[4]);
            var record = Assert.Single(reads.Open([.. head, .. body]));
            if (record.Type == 23) return (answers, System.Text.Encoding.ASCII.GetString(record.Content));
            Assert.Equal((byte[])[24, 0, 0, 1, 0], record.Content);
            reads.Update();
        }
    }

    // Sends until the kernel takes no more and the reactor has had its turns: it does not receive.
    private static async Task<(long Sent, int Asked, byte[] Left)> FloodAsync(RelayRig rig, Socket socket, RecordForge sends)
    {
        socket.Blocking = false;
        var (sent, asked, blocked) = (0L, 0, 0);
        byte[] rest = [];
        while (blocked < 3 && sent < MostSent)
        {
            if (rest.Length == 0)
            {
                rest = OwnRecordsTest.Join([.. Enumerable.Range(0, 300).Select(_ => AskForUpdate(sends))]);
                asked += 300;
            }

            var count = socket.Send(rest, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                await rig.TurnAsync();
                blocked++;
                continue;
            }

            Assert.Equal(SocketError.Success, error);
            (sent, blocked, rest) = (sent + count, 0, rest[count..]);
        }

        socket.Blocking = true;
        return (sent, asked, rest);
    }

    private static byte[] AskForUpdate(RecordForge sends)
    {
        var record = sends.Seal(22, [24, 0, 0, 1, 1]);
        sends.Update();
        return record;
    }

    // An end for the pair, and both directions of its peer.
    private unsafe (TlsEnd Ours, RecordForge Sends, RecordForge Reads) Connect(bool keepsSsl, bool isServer)
    {
        var (client, server) = Connect(new TlsClientSettings { KeepsSsl = !isServer && keepsSsl },
            Settings(SslProtocols.Tls13, isServer && keepsSsl) with { Tickets = 0 });
        var (ours, peer) = isServer ? (server, client) : (client, server);
        return (ours, Forge(&peer.Keys->Write), Forge(&peer.Keys->Read));
    }
}
