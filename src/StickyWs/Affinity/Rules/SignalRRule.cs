using Microsoft.AspNetCore.Http;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// ASP.NET Core SignalR's transport protocol: the response to <c>POST …/negotiate</c> contains a connection token (the connection id in version 0),
/// and every request of that connection carries it as <c>?id=</c>, whatever the transport (dotnet/aspnetcore, docs/specs/TransportProtocols.md).
/// </summary>
internal sealed class SignalRRule(string pool) : PinRule(pool, "signalr", "")
{
    /// <summary>Whether it asks for what the client's tunnel will be known by, so that both must go to the same backend.</summary>
    public static bool IsNegotiation(in RequestView request) => request.IsRequest(HttpMethods.Post) && request.HasPathEnd("/negotiate");

    public override bool AwaitsBody(in RequestView request) => IsNegotiation(request);

    public override bool TryLearn(ReadOnlySpan<byte> body, out PinKey key)
    {
        Span<byte> token = stackalloc byte[PinKey.LongestValue];
        var isThere = TokenText.TryMember(body, "connectionToken"u8, token, out var length) || TokenText.TryMember(body, "connectionId"u8, token, out length);
        var isLearnt = isThere && TokenText.IsToken(token[..length]);
        key = isLearnt ? Key(token[..length]) : default;
        return isLearnt;
    }

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length)
        => request.TryQuery("id"u8, value, out length) && TokenText.IsToken(value[..length]);
}
