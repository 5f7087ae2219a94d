using Microsoft.AspNetCore.Http;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// The Engine.IO protocol below Socket.IO: the response to a polling client's first request is the open packet, <c>0{"sid":…}</c> (revision 3
/// prefixes a length), and every further request of the session, its WebSocket included, carries <c>?sid=</c>. A client that starts with a WebSocket
/// has one connection and needs no rule.
/// </summary>
internal sealed class SocketIORule(string pool) : PinRule(pool, "socketio", "")
{
    public override bool AwaitsBody(in RequestView request)
    {
        Span<byte> value = stackalloc byte[PinKey.LongestValue];
        return request.IsRequest(HttpMethods.Get)
            && request.TryQuery("transport"u8, value, out var length) && value[..length].SequenceEqual("polling"u8)
            && IsEngineIO(request, value)
            && !request.TryQuery("sid"u8, value, out _);
    }

    public override bool TryLearn(ReadOnlySpan<byte> body, out PinKey key)
    {
        Span<byte> sid = stackalloc byte[PinKey.LongestValue];
        var isLearnt = TokenText.TryMember(body, "sid"u8, sid, out var length) && TokenText.IsToken(sid[..length]);
        key = isLearnt ? Key(sid[..length]) : default;
        return isLearnt;
    }

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length)
    {
        length = 0;
        return IsEngineIO(request, value) && request.TryQuery("sid"u8, value, out length) && TokenText.IsToken(value[..length]);
    }

    private static bool IsEngineIO(in RequestView request, Span<byte> value) => request.TryQuery("EIO"u8, value, out _);
}
