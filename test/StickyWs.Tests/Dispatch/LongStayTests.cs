using Microsoft.Extensions.Time.Testing;
using StickyWs.Affinity;
using StickyWs.Dispatch;
using StickyWs.Pinning;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>A tunnel that outlives the lifetime of its pin many times over.</summary>
public sealed class LongStayTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Visit_WhileATunnelOfTheSameSessionIsOpen_IsKnown()
    {
        var rig = new StickyRig(Way.Pin, pool => pool.Affinity.PinLifetime = Lifetime, _time);
        var client = new StickyClient(rig);
        var stay = await client.StayAsync();

        await PassAsync(20 * Lifetime, rig);

        for (var i = 0; i < 3; i++) Assert.Equal((stay.Backend, DecisionReason.Affinity), Of(await client.VisitAsync()));
        stay.End();
        await PassAsync(2 * Lifetime, rig);
        Assert.Equal(DecisionReason.Policy, (await client.VisitAsync()).Reason);
        rig.AssertIdle();
    }

    [Fact]
    public async Task Visit_HashedKeyWithAnOpenTunnelOfABackendThatDrains_GetsIn()
    {
        var rig = new StickyRig(Way.Hash, pool => pool.Affinity.PinLifetime = Lifetime, _time);
        var client = new StickyClient(rig);
        var stay = await client.StayAsync();

        await PassAsync(20 * Lifetime, rig);
        rig.Apply(pool => pool.Backends[stay.Backend!].Enabled = false);

        Assert.Equal(stay.Backend, (await client.VisitAsync()).Backend);
        stay.End();
    }

    [Fact]
    public async Task Visit_AtAnotherInstanceWhileATunnelIsOpen_IsKnown()
    {
        var store = new ScriptedPinStore(_time);
        var (one, other) = (Sharing(store), Sharing(store));
        List<(StickyClient Client, Visit Stay)> stays = [];
        for (var i = 0; i < 1000; i++)
        {
            var client = new StickyClient(one, $"user{i}");
            stays.Add((client, await client.StayAsync()));
        }

        await PassAsync(5 * Lifetime, one, other); // The other has long forgotten what it heard.

        foreach (var (client, stay) in stays) Assert.Equal((stay.Backend, DecisionReason.Affinity), Of(await client.At(other).VisitAsync()));
        foreach (var (_, stay) in stays) stay.End();
        var saves = store.Saves.Count;
        await PassAsync(5 * Lifetime, one, other);
        Assert.Equal(saves, store.Saves.Count);
    }

    private StickyRig Sharing(ScriptedPinStore store) => new(
        pool =>
        {
            pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin));
            pool.Affinity.PinLifetime = Lifetime;
        },
        _time,
        store);

    private static (string? Backend, DecisionReason Reason) Of(Visit visit) => (visit.Backend, visit.Reason);

    // As the host does while it runs.
    private async Task PassAsync(TimeSpan time, params StickyRig[] rigs)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(5))
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            foreach (var rig in rigs)
            {
                for (var i = 0; i < OpenClaims.Parts; i++) await rig.Rig.Services.Open.KeepSomeAsync(CancellationToken.None);
            }
        }
    }
}
