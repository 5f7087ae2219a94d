using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Hosting;

namespace StickyWs.Tests.Hosting;

public sealed class TransportBufferSetupTests
{
    [Fact]
    public void Buffers_ThatTheApplicationLeavesAlone_AreAsLargeAsTheOptionsSay()
    {
        var sockets = new SocketTransportOptions();

        SetUp(20_000, sockets);

        Assert.Equal(20_000, sockets.MaxReadBufferSize);
        Assert.Equal(20_000, sockets.MaxWriteBufferSize);
    }

    [Fact]
    public void Buffers_ThatTheApplicationSets_StayAsTheyAre()
    {
        var sockets = new SocketTransportOptions { MaxReadBufferSize = 5, MaxWriteBufferSize = null };

        SetUp(20_000, sockets);

        Assert.Equal(5, sockets.MaxReadBufferSize);
        Assert.Null(sockets.MaxWriteBufferSize);
    }

    private static void SetUp(int most, SocketTransportOptions sockets)
    {
        var options = new StickyWsOptions();
        options.Transport.MaxBufferSize = most;
        new TransportBufferSetup(new FixedMonitor(options)).PostConfigure(Options.DefaultName, sockets);
    }

    private sealed class FixedMonitor(StickyWsOptions options) : IOptionsMonitor<StickyWsOptions>
    {
        public StickyWsOptions CurrentValue => options;

        public StickyWsOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<StickyWsOptions, string?> listener) => null;
    }
}
