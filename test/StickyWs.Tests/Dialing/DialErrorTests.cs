using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Dialing;

namespace StickyWs.Tests.Dialing;

public sealed class DialErrorTests
{
    public static TheoryData<Exception, HttpRequestError, string> Failures { get; } = new()
    {
        { new AuthenticationException(), HttpRequestError.SecureConnectionError, "tls" },
        { new SocketException((int)SocketError.ConnectionRefused), HttpRequestError.ConnectionError, "ConnectionRefused" },
        { new SocketException((int)SocketError.HostNotFound), HttpRequestError.NameResolutionError, "HostNotFound" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void TypeOf_FailureOfAHandshakesOrARequestsConnect_IsTheSame(Exception failure, HttpRequestError error, string expected)
    {
        Assert.Equal(expected, DialError.TypeOf(failure));
        Assert.Equal(expected, DialError.TypeOf(new HttpRequestException(error, "failed", failure)));
    }

    [Fact]
    public void TypeOf_RequestsConnectThatSaysNoMore_IsItsError()
        => Assert.Equal("VersionNegotiationError", DialError.TypeOf(new HttpRequestException(HttpRequestError.VersionNegotiationError)));
}
