using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Proxying;

namespace StickyWs.Tests.Proxying;

/// <summary>How a request that authenticates its connection is sent back to HTTP/1.1, in the words of each version.</summary>
public sealed class BoundClientsTests
{
    [Theory]
    [InlineData("HTTP/1.1", "Negotiate YII=", null)]
    [InlineData("HTTP/2", "Bearer x", null)]
    [InlineData("HTTP/2", "NTLM TlRM", 0xd)] // HTTP_1_1_REQUIRED
    [InlineData("HTTP/3", "Negotiate YII=", 0x110)] // H3_VERSION_FALLBACK
    public void Refuse_ByVersion_ResetsWithItsOwnCode(string protocol, string credentials, int? code)
    {
        var (context, reset) = (new DefaultHttpContext(), new Reset());
        context.Request.Protocol = protocol;
        context.Request.Headers.Authorization = credentials;
        context.Features.Set<IHttpResetFeature>(reset);

        Assert.Equal(code is not null, BoundClients.TryRefuse(context));
        Assert.Equal(code, reset.Code);
    }

    private sealed class Reset : IHttpResetFeature
    {
        public int? Code { get; private set; }

        void IHttpResetFeature.Reset(int errorCode) => Code = errorCode;
    }
}
