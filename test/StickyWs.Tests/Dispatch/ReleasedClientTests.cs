using StickyWs.Backends;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>A client whose tunnel was told to go: its pin does not count once, for its next tunnel.</summary>
public sealed class ReleasedClientTests
{
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    public async Task PlainRequests_FollowThePin_UntilATunnelMovesIt(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var first = await client.StayAsync();
        first.Lease!.Value.Release();
        rig.Pool.Returns.Expect();

        for (var i = 0; i < 3; i++) Assert.Equal(first.Backend, Ask(rig, client));
        Assert.Equal(1, rig.Pool.Returns.Expected);
        var moved = await client.StayAsync();

        Assert.NotEqual(first.Backend, moved.Backend);
        Assert.Equal((first.Backend, 0), (moved.Notice.MovedFrom, rig.Pool.Returns.Expected));
        Assert.Equal(moved.Backend, Ask(rig, client));
        first.End();
        moved.End();
        Assert.Equal(0, rig.Pool.Returns.Expected); // It is known there, whatever became of its handshake.
    }

    // Its tunnel goes where it was negotiated.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    public async Task Negotiation_IsTheBeginningOfATunnel(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var first = await client.StayAsync();
        first.Lease!.Value.Release();
        rig.Pool.Returns.Expect();

        Assert.NotEqual(first.Backend, Ask(rig, client, "/hub/negotiate", "POST"));
        Assert.Equal(1, rig.Pool.Returns.Expected); // Nothing was answered.
        first.End();
    }

    private static string Ask(StickyRig rig, StickyClient client, string path = "/", string method = "GET")
    {
        var request = DispatchRig.Request(path, method: method);
        request.Headers.Cookie = client.Cookies;
        Assert.True(rig.Rig.Decide(request)!.TryNext(out var lease));
        lease.Dispose();
        return lease.Backend.Name;
    }
}
