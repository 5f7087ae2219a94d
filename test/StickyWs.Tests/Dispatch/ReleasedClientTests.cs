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

    // Each of its tunnels that was told to go is expected; the first to come back moves the pin, which the others follow.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    public async Task SeveralTunnels_WereTold_AllAreBack(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var told = new[] { await client.StayAsync(), await client.StayAsync(), await client.StayAsync() };
        foreach (var visit in told[..2])
        {
            visit.Lease!.Value.Release();
            rig.Pool.Returns.Expect();
        }

        var back = await client.StayAsync();
        Assert.Equal(1, rig.Pool.Returns.Expected);
        var backToo = await client.StayAsync();
        Assert.Equal((back.Backend, 0), (backToo.Backend, rig.Pool.Returns.Expected));
        rig.Pool.Returns.Expect();
        var another = await client.StayAsync();

        Assert.NotEqual(told[0].Backend, back.Backend);
        Assert.Equal((back.Backend, 1), (another.Backend, rig.Pool.Returns.Expected)); // Somebody else is expected.
        foreach (var visit in told.Append(back).Append(backToo).Append(another)) visit.End();
        Assert.Equal(1, rig.Pool.Returns.Expected);
    }

    // Its handshake is under way while the answer to the first brings the new cookie.
    [Fact]
    public async Task SeveralTunnels_WereTold_OneComesWithTheOldCookie_DoesNotGoBack()
    {
        var rig = new StickyRig(Way.Cookie);
        var client = new StickyClient(rig);
        var told = new[] { await client.StayAsync(), await client.StayAsync() };
        var late = client.At(rig);
        foreach (var visit in told)
        {
            visit.Lease!.Value.Release();
            rig.Pool.Returns.Expect();
        }

        var back = await client.StayAsync();
        var backToo = await late.StayAsync();

        Assert.DoesNotContain(told[0].Backend, new[] { back.Backend, backToo.Backend });
        Assert.Equal(0, rig.Pool.Returns.Expected);
        foreach (var visit in told.Append(back).Append(backToo)) visit.End();
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
