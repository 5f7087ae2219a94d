using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>Bytes in bulk go through pipes of the kernel's, which gives smaller ones, or none that are worth it, past its user's share (pipe(7)).</summary>
public sealed class PipeSizeTests
{
    private const int Total = 48 * 1024 * 1024;

    // With none refused it is seen that such bytes do go through pipes.
    [Theory]
    [InlineData(Refused.Nothing, "Epoll", true)]
    [InlineData(Refused.Nothing, "Auto", true)]
    [InlineData(Refused.LargePipes, "Epoll", true)]
    [InlineData(Refused.LargePipes, "Auto", true)]
    [InlineData(Refused.PipeSizes, "Epoll", false)]
    [InlineData(Refused.PipeSizes, "Auto", false)]
    public async Task Whatever_pipes_the_kernel_gives_all_bytes_arrive(Refused refused, string reactor, bool isSpliced)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        await using var backend = RawBackend.Opening();
        using var process = BalancerProcess.Start(refused, "Pools:chat:Backends:a:Address=" + backend.Address, "Transport:RawLane=On",
            "Transport:Reactors=1", "Transport:Reactor=" + reactor);
        await using var client = await RawClient.ConnectAsync(await process.ListensAsync());
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();
        var before = process.Pipes;
        var (fromClient, fromBackend) = (new byte[Total], new byte[Total]);
        new Random(1).NextBytes(fromClient);
        new Random(2).NextBytes(fromBackend);

        await Task.WhenAll(PassAsync(client, server, fromClient), PassAsync(server, client, fromBackend));

        // A pipe is kept once there is one.
        Assert.Equal(isSpliced, process.Pipes > before);
    }

    private static async Task PassAsync(Wire from, Wire to, byte[] bytes)
    {
        var writing = from.WriteAsync(bytes);
        Assert.True((await to.ReadExactlyAsync(bytes.Length)).AsSpan().SequenceEqual(bytes), "Other bytes than were sent.");
        await writing;
    }
}
