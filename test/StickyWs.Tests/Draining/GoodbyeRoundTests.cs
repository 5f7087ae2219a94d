using StickyWs.Draining;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Draining;

/// <summary>Who is told when.</summary>
public sealed class GoodbyeRoundTests : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly DrainRig _rig = new();
    private readonly List<(Tunnel Tunnel, TimeSpan At)> _told = [];
    private readonly long _began;

    public GoodbyeRoundTests() => _began = _rig.Clock.GetTimestamp();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Plan_TenThousand_AreSpreadEvenly_InTheirOrder_ByOneTimer()
    {
        var tunnels = _rig.Open(10_000);
        using var round = Round(TimeSpan.FromSeconds(10), new Random(7).NextDouble);
        round.Plan(tunnels);

        for (var step = 0; step <= 1000; step++) _rig.Clock.Advance(Step);

        Assert.Equal(tunnels, _told.Select(told => told.Tunnel));
        Assert.Equal(1, _rig.Clock.Timers);
        Assert.Equal(10_000, round.Told);
        var tenths = new int[10];
        foreach (var (_, at) in _told) tenths[Math.Min(9, (int)((at - Step).TotalSeconds))]++;
        var chiSquare = tenths.Sum(count => Math.Pow(count - 1000, 2) / 1000);
        Assert.InRange(chiSquare, 0, 27.88); // Nine degrees of freedom, p = 0.001.
        Assert.InRange(_told.GroupBy(told => told.At).Max(at => at.Count()), 1, 30); // Of ten on average within a step.
    }

    // Each has a share of its own, and its moment in it is its luck.
    [Fact]
    public void Plan_Moments_AreJittered()
    {
        using var round = Round(TimeSpan.FromSeconds(10), new Random(7).NextDouble);
        round.Plan(_rig.Open(10));

        for (var step = 0; step <= 1000; step++) _rig.Clock.Advance(Step);

        for (var i = 0; i < 10; i++) Assert.InRange(_told[i].At.TotalSeconds, i, i + 1.01);
        Assert.True(_told.Select(told => told.At.Milliseconds / 100).Distinct().Count() > 3);
    }

    [Fact]
    public void Plan_Late_IsInTheRestOfTheTime()
    {
        using var round = Round(TimeSpan.FromSeconds(10), () => 0.5);
        round.Plan(_rig.Open(1));
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        var late = _rig.Open(1);
        round.Plan(late);
        round.Plan(late); // Once is enough.

        _rig.Clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Single(_told);
        _rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(2, _told.Count);
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        round.Plan(_rig.Open(1));
        _rig.Clock.Advance(Step);

        Assert.Equal(3, _told.Count); // None of it is left: at once.
    }

    [Fact]
    public void Plan_OverNothing_IsAtOnce()
    {
        using var round = Round(TimeSpan.Zero);
        round.Plan(_rig.Open(100));

        _rig.Clock.Advance(Step);

        Assert.Equal(100, _told.Count);
    }

    [Fact]
    public void Deadline_IsOnce_EvenIfThereWasNobody()
    {
        var deadlines = 0;
        using var round = new GoodbyeRound(_rig.Clock, TimeSpan.FromSeconds(1), Tell, TimeSpan.FromSeconds(2), () => deadlines++);

        _rig.Clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, deadlines);
        _rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
        _rig.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(1, deadlines);
    }

    [Fact]
    public void Deadline_InTheFarFuture_IsMet()
    {
        var deadlines = 0;
        using var round = new GoodbyeRound(_rig.Clock, TimeSpan.FromSeconds(1), Tell, TimeSpan.FromDays(70), () => deadlines++);

        for (var day = 0; day < 69; day++) _rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, deadlines);
        _rig.Clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(1, deadlines);
    }

    [Fact]
    public void Dispose_TellsNobodyAnyMore()
    {
        var round = Round(TimeSpan.FromSeconds(10));
        round.Plan(_rig.Open(100));
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        var told = _told.Count;

        round.Dispose();
        round.Plan(_rig.Open(1));
        _rig.Clock.Advance(TimeSpan.FromSeconds(50));

        Assert.InRange(told, 49, 51);
        Assert.Equal(told, _told.Count);
    }

    private GoodbyeRound Round(TimeSpan over, Func<double>? random = null) => new(_rig.Clock, over, Tell, random: random);

    private bool Tell(Tunnel tunnel)
    {
        _told.Add((tunnel, _rig.Clock.GetElapsedTime(_began)));
        return true;
    }
}
