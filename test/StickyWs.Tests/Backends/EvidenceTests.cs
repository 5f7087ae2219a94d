using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Kernel;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Backends;

public sealed class EvidenceTests
{
    [Theory]
    [InlineData(SocketError.ConnectionRefused, nameof(Evidence.Refused))]
    [InlineData(SocketError.TimedOut, nameof(Evidence.ConnectTimedOut))]
    [InlineData(SocketError.HostUnreachable, nameof(Evidence.Unreachable))]
    [InlineData(SocketError.ConnectionReset, nameof(Evidence.Unreachable))]
    [InlineData(SocketError.HostNotFound, nameof(Evidence.NotResolved))]
    [InlineData(SocketError.TryAgain, nameof(Evidence.OutOfReach))]
    [InlineData(SocketError.AddressNotAvailable, nameof(Evidence.OutOfReach))]
    [InlineData(SocketError.TooManyOpenSockets, nameof(Evidence.OutOfResources))]
    [InlineData(SocketError.NoBufferSpaceAvailable, nameof(Evidence.OutOfResources))]
    [InlineData(SocketError.SocketError, nameof(Evidence.OutOfResources))]
    [InlineData(SocketError.OperationAborted, nameof(Evidence.OutOfResources))]
    public void OfConnect_ASocketError_IsTheSameBareAndWithin(SocketError error, string expected)
    {
        var bare = new SocketException((int)error);
        var wrapped = new IOException("wrapped", bare);
        Exception[] within = [bare, wrapped, new HttpRequestException("wrapped", bare), new HttpRequestException("twice", wrapped)];

        Assert.All(within, failure => Assert.Equal(expected, EvidenceExtensions.OfConnect(failure).ToString()));
    }

    [Fact]
    public void OfConnect_AnythingElse_ProvesWhatItSays()
    {
        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(new InsufficientMemoryException()));
        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(new CryptographicException()));
        Assert.Equal(Evidence.TlsFailed, EvidenceExtensions.OfConnect(new AuthenticationException()));
        Assert.Equal(Evidence.Unreachable, EvidenceExtensions.OfConnect(new IOException("an unexpected end")));
        Assert.Equal(Evidence.ConnectTimedOut, EvidenceExtensions.OfConnect(new OperationCanceledException()));
    }

    // Errors of connect(2), socket(2) and epoll_ctl(2): the last is ENOSPC at the limit fs.epoll.max_user_watches.
    [Theory]
    [InlineData(nameof(Errno.EMFILE))]
    [InlineData(nameof(Errno.ENFILE))]
    [InlineData(nameof(Errno.ENOMEM))]
    [InlineData(nameof(Errno.ENOBUFS))]
    [InlineData(nameof(Errno.EAGAIN))]
    [InlineData(nameof(Errno.ENOSPC))]
    public void OfConnect_AShortageThatTheKernelReports_IsOurs(string name)
    {
        var error = Enum.Parse<Errno>(name);

        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(error.ToSocketException()));
        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(error.ToIOException("epoll_ctl")));
    }

    [Theory]
    [InlineData(ReactorMode.Epoll)]
    [InlineData(ReactorMode.IoUring)]
    public async Task OfConnect_OnAReactorThatHasStopped_IsOurs(ReactorMode mode)
    {
        await using var rig = new RelayRig(mode);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        rig.Stop();

        var failure = await Assert.ThrowsAsync<IOException>(async () =>
        {
            using var socket = await RawDialer.ConnectAsync(rig.Reactor, (IPEndPoint)listener.LocalEndPoint!, CancellationToken.None);
            socket.WatchReadable();
        });

        Assert.Equal(Evidence.OutOfResources, EvidenceExtensions.OfConnect(failure));
    }
}
