using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Health;

namespace StickyWs.Tests.Health;

public sealed class ProbeCauseTests
{
    [Theory]
    [InlineData(SocketError.ConnectionRefused, "connection refused")]
    [InlineData(SocketError.ConnectionReset, "connection broken by the backend")]
    [InlineData(SocketError.HostNotFound, "host name not found")]
    [InlineData(SocketError.TryAgain, "host name not resolved, the name server does not answer")]
    [InlineData(SocketError.NetworkUnreachable, "host unreachable")]
    [InlineData(SocketError.TimedOut, "connect timed out")]
    [InlineData(SocketError.TooManyOpenSockets, "socket error TooManyOpenSockets")]
    public void Of_SocketError_SaysItInWords(SocketError error, string cause)
    {
        var failure = new SocketException((int)error);

        Assert.Equal(cause, ProbeCause.Of(failure));
        Assert.Equal(cause, ProbeCause.Of(new IOException("wrapped", failure)));
        Assert.Equal(cause, ProbeCause.Of(new HttpRequestException("wrapped", failure)));
    }

    [Fact]
    public void Of_TlsFailure_SaysTheInnermostReason()
        => Assert.Equal(
            "TLS: expired",
            ProbeCause.Of(new HttpRequestException("wrapped", new AuthenticationException("see inner", new InvalidOperationException("expired")))));

    [Fact]
    public void Of_Defect_NamesItsType() => Assert.Equal("InvalidOperationException: what", ProbeCause.Of(new InvalidOperationException("what")));
}
