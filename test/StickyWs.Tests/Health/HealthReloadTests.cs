using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

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
    public async Task Reload_DisablesBackend_GoesOnProbingIt_AndEnabledAgainItServesAtOnce()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Enabled = false));
        call.Good();
        await clinic.Time.TimerAsync(Clinic.Interval);
        await clinic.ProbedAsync("boom", "boom");
        Assert.Equal(BackendState.Draining, clinic.Backend().State);
        clinic.Registry.Apply(Clinic.Options());

        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
        Assert.Equal(["a"], clinic.Eligible);
        await clinic.ProbedAsync("boom");
        Assert.Empty(clinic.Eligible); // The streak of failures went on, too.
        Assert.False(clinic.Probe.Overlapped);
    }

    [Fact]
    public async Task Reload_EnablesBackendThatFailedWhileDisabled_DoesNotUseIt()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Enabled = false));

        await clinic.ProbedAsync("boom", "boom", "boom");
        clinic.Registry.Apply(Clinic.Options());

        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
        await clinic.ProbedAsync(null, null);
        Assert.Equal(["a"], clinic.Eligible);
    }

    [Fact]
    public async Task Start_DisabledBackend_IsNotWaitedForButKnownWhenItIsEnabled()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Enabled = false));

        await clinic.Monitor.StartAsync(Wait.Token());
        await clinic.AnswerAsync(null);
        Assert.Equal((BackendState.Draining, BackendState.Healthy), (clinic.Backend().State, clinic.Backend().Health));
        clinic.Registry.Apply(Clinic.Options());

        Assert.Equal(["a"], clinic.Eligible);
    }

    [Fact]
    public async Task Reload_ReplacesAllBackends_ProbesOldAndNewUntilTheNewAreKnown()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        var old = clinic.Backend();

        clinic.Registry.Apply(Clinic.Options(backends: ["b"]));
        (await clinic.Probe.NextAsync("b")).Fail("boom");
        await clinic.Time.TimerAsync(Clinic.Interval);
        clinic.Time.Advance(Clinic.Interval);
        var underWay = await clinic.Probe.NextAsync("a");
        Assert.Equal((BackendState.Healthy, BackendState.Unknown), (old.State, clinic.Backend("b").State));
        Assert.NotNull(clinic.Registry.Current.Before);
        (await clinic.Probe.NextAsync("b")).Good();

        await underWay.CancelledAsync();
        // Its probe ends with the change, not behind it.
        await Wait.UntilAsync(() => (old.State, clinic.Backend("b").State) == (BackendState.Draining, BackendState.Healthy));
        Assert.Null(clinic.Registry.Current.Before);
    }

    [Fact]
    public async Task Reload_AddsBackendWhoseFirstProbeFails_WaitsForThatOneProbeAlone()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        clinic.Registry.Apply(Clinic.Options(backends: ["a", "b"]));
        Assert.True(clinic.Snapshot.AwaitsFirstProbes);
        (await clinic.Probe.NextAsync("b")).Fail("boom");
        await Wait.UntilAsync(() => clinic.Registry.Current.Before is null);

        Assert.False(clinic.Snapshot.IsUnknown);
        Assert.Equal(["a"], clinic.Eligible);
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
        Assert.EndsWith("is Unknown: configuration: its health rules changed, it is tried again", clinic.LastCause, StringComparison.Ordinal);
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
