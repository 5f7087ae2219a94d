using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Tests.Health;

/// <summary>What a changed configuration does to the probe loops.</summary>
public sealed class HealthReloadTests
{
    [Fact]
    public async Task Reload_AddsBackend_ProbesItAtOnce()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        clinic.Registry.Apply(Clinic.Options(backends: ["a", "b"]));
        (await clinic.Probe.NextAsync("b")).Good();
        await clinic.Time.TimerAsync(Clinic.Interval);

        Assert.Equal(["a", "b"], clinic.Eligible);
    }

    [Fact]
    public async Task Reload_RemovesBackend_EndsItsProbe()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(backends: ["a", "b"]));
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("b");

        clinic.Registry.Apply(Clinic.Options());

        await call.CancelledAsync();
    }

    [Fact]
    public async Task Reload_DisablesBackend_EndsItsProbe_AndEnabledAgainItNeedsAGoodOne()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Enabled = false));
        await call.CancelledAsync();
        clinic.Registry.Apply(Clinic.Options());
        var first = await clinic.Probe.NextAsync("a");
        Assert.Empty(clinic.Eligible);
        first.Good();
        await clinic.Time.TimerAsync(Clinic.Interval);

        Assert.Equal(["a"], clinic.Eligible);
        Assert.False(clinic.Probe.Overlapped);
    }

    [Fact]
    public async Task Start_DisabledBackend_IsNotProbed()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Backends["b"] = new BackendOptions { Address = "http://127.0.0.1:6000" }));
        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["b"] = new BackendOptions { Address = "http://127.0.0.1:6000", Enabled = false }));

        await clinic.ProbedAsync(null, null);

        Assert.Equal(BackendState.Draining, clinic.Backend("b").State);
    }

    [Fact]
    public async Task Reload_OfSomethingElse_KeepsLoopAndStreak()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync("boom", "boom");
        var before = clinic.Time.GetUtcNow();

        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Weight = 7, "a", "b"));
        (await clinic.Probe.NextAsync("b")).Good();
        await clinic.Time.TimerAsync(Clinic.Interval);
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");
        call.Fail("boom");
        await clinic.Time.TimerAsync(Clinic.Interval);

        Assert.Equal(before + Clinic.Interval, call.Begun);
        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Reload_ChangesProbe_ProbesAtOnceByTheNewRules()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync("boom");

        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp!.Fall = 2));
        await clinic.AnswerAsync("boom");

        Assert.EndsWith("probe: 2 failures in a row, the last: boom", clinic.LastCause, StringComparison.Ordinal);
        Assert.False(clinic.Probe.Overlapped);
    }

    [Fact]
    public async Task Reload_ChangesInterval_DoesNotWaitForTheOldOne()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        var shorter = TimeSpan.FromSeconds(3);

        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp!.Interval = shorter));
        (await clinic.Probe.NextAsync("a")).Good();
        await clinic.Time.TimerAsync(shorter);
        clinic.Time.Advance(shorter);

        await clinic.Probe.NextAsync("a");
    }

    [Fact]
    public async Task Reload_SwitchesProbesOff_TriesAnUnhealthyBackendAgain()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync("boom", "boom", "boom");
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp = null));
        await call.CancelledAsync();

        Assert.Equal(["a"], clinic.Eligible);
        Assert.EndsWith("is Unknown: configuration: the rules of its health changed, and it is tried again", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reload_SwitchesProbesOn_GoesOnServingUntilOneFails()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp = null));
        await clinic.Monitor.StartAsync(CancellationToken.None);
        Assert.Equal(["a"], clinic.Eligible);

        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp!.Fall = 1));
        Assert.Equal(["a"], clinic.Eligible);
        await clinic.AnswerAsync("boom");

        Assert.Empty(clinic.Eligible);
    }
}
