using StickyWs.TestKit;

namespace StickyWs.Tests.Dialing;

/// <summary>By the kit's own clients and backends, whose TLS this is as well.</summary>
public sealed class DuplexTlsStreamTests
{
    private const int Buffers = 8 * 1024;

    // The runtime's own shutdown fails in one of the first few rounds.
    [Fact]
    public async Task Finish_AmidReads_LosesNothing()
    {
        await using var backend = RawBackend.Start(
            (backend, wire) =>
            {
                backend.GiveToTest(wire);
                return Task.CompletedTask;
            },
            certificate: TestCertificate.Server);
        for (var i = 0; i < 300; i++)
        {
            await using var us = await RawClient.ConnectAsync(new Uri(backend.Address), socket => socket.ReceiveBufferSize = Buffers);
            var talking = TalkUntilEndAsync(await backend.NextTunnelAsync());
            var buffer = new byte[300];
            var got = 0L;
            for (var reads = i % 20; reads >= 0; reads--) got += await us.ReadAsync(buffer);
            var finishing = Task.Run(us.FinishAsync);
            while (await us.ReadAsync(buffer) is > 0 and var read) got += read;
            await finishing;
            Assert.Equal(await talking, got);
        }
    }

    private static async Task<long> TalkUntilEndAsync(Wire peer)
    {
        peer.Socket.SendBufferSize = Buffers;
        var ended = peer.ReadAsync(new byte[1]);
        var sent = 0L;
        while (!ended.IsCompleted)
        {
            var record = new byte[(sent % 200) + 1];
            await peer.WriteAsync(record);
            sent += record.Length;
        }

        Assert.Equal(0, await ended);
        await peer.FinishAsync();
        return sent;
    }
}
