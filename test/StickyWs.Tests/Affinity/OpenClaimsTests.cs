using Microsoft.Extensions.Time.Testing;
using StickyWs.Affinity;
using StickyWs.Pinning;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Affinity;

/// <summary>Claims that live on with their leases: what they pinned is renewed, and nothing is left of them.</summary>
public sealed class OpenClaimsTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(20);

    private readonly FakeTimeProvider _time = new();

    // A client whose network has changed comes back before its old tunnel is known to be dead.
    [Theory]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_WhileAnOlderTunnelIsOpenForHours_ComesToItsBackend(Way way)
    {
        var rig = new StickyRig(way, time: _time);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        var tunnel = await client.StayAsync();
        await PassAsync(TimeSpan.FromHours(3), rig);
        rig.Apply(pool => pool.Backends[first.Backend!].Enabled = false);

        Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);
        tunnel.End();
        await PassAsync(Lifetime, rig);
        Assert.NotEqual(first.Backend, (await client.VisitAsync()).Backend);
        Assert.Equal(0, Open(rig).Count);
        rig.AssertIdle();
    }

    [Fact]
    public async Task Visit_ThroughAnotherInstanceWhileATunnelIsOpenForHours_ComesToItsBackend()
    {
        var store = new ScriptedPinStore(_time);
        var (one, other) = (Shared(store), Shared(store));
        var client = new StickyClient(one);
        var tunnel = await client.StayAsync();
        await PassAsync(TimeSpan.FromHours(3), one);
        for (var i = 0; i < 3; i++) Assert.Equal(tunnel.Backend, (await client.At(other).VisitAsync()).Backend);
        Assert.InRange(store.Saves.Count, 10, 60);
        tunnel.End();
    }

    // Its message was lost, and what the tunnel's instance knows is hours old.
    [Fact]
    public async Task Keep_PinThatAnotherInstanceMoved_StaysMoved()
    {
        var store = new ScriptedPinStore(_time);
        var rig = Shared(store);
        var client = new StickyClient(rig);
        var tunnel = await client.StayAsync();
        Assert.True(PinKey.TryParse(store.Saves[0].Split(' ')[0], out var key));
        var moved = tunnel.Backend == "a" ? "b" : "a";
        store[key] = moved;

        await PassAsync(TimeSpan.FromHours(1), rig);
        tunnel.End();

        Assert.Equal(moved, store[key]);
        Assert.Equal(moved, (await client.VisitAsync()).Backend);
    }

    [Fact]
    public async Task Count_ManyThatComeAndGo_IsOfThoseThatAreOpen()
    {
        var rig = new StickyRig(Way.Hash);
        var visits = new List<Visit>();
        for (var i = 0; i < 500; i++) visits.Add(await new StickyClient(rig, $"user{i}").StayAsync());
        Assert.Equal(500, Open(rig).Count);

        for (var i = 0; i < 500; i += 3) visits[i].End();
        Assert.Equal(333, Open(rig).Count);
        for (var i = 0; i < OpenClaims.Parts; i++) await Open(rig).KeepSomeAsync(default);
        for (var i = 0; i < 500; i++)
        {
            if (i % 3 != 0) visits[i].End();
        }

        Assert.Equal(0, Open(rig).Count);
        rig.AssertIdle();
    }

    private static OpenClaims Open(StickyRig rig) => rig.Rig.Services.Open;

    private StickyRig Shared(IPinStore store) => new(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin)), _time, store);

    // As the host's timer does.
    private async Task PassAsync(TimeSpan time, StickyRig rig)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(16))
        {
            _time.Advance(TimeSpan.FromSeconds(16));
            for (var i = 0; i < OpenClaims.Parts; i++) await Open(rig).KeepSomeAsync(default);
        }
    }
}
