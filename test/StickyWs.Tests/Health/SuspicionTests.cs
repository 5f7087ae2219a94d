using System.Net.Sockets;
using StickyWs.Backends;

namespace StickyWs.Tests.Health;

/// <summary>Where a pool is probed, traffic raises suspicion and a probe convicts.</summary>
public sealed class SuspicionTests
{
    // However much is suspected, two probes are never closer to each other.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(500);

    [Theory]
    [InlineData(Evidence.Refused)]
    [InlineData(Evidence.ConnectTimedOut)]
    [InlineData(Evidence.Unreachable)]
    [InlineData(Evidence.NotResolved)]
    [InlineData(Evidence.TlsFailed)]
    [InlineData(Evidence.NoAnswer)]
    [InlineData(Evidence.BadAnswer)]
    [InlineData(Evidence.TimedOut)]
    [InlineData(Evidence.BrokenAnswer)]
    internal async Task Traffic_FailsWithoutEnd_ProbesPass_StaysIn(Evidence evidence)
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < 50; i++) Suspect(clinic, evidence);
            clinic.Time.Advance(Rest);
            await clinic.AnswerAsync(null);
        }

        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
        Assert.Single(clinic.Logs.Lines, line => line.Event == "BackendStateChanged");
    }

    [Fact]
    public async Task Suspicion_AnyNumber_AsksOneProbeAtATime()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        var before = clinic.Probe.Count;

        for (var i = 0; i < 1000; i++) Suspect(clinic, Evidence.NoAnswer);
        clinic.Time.Advance(Rest);
        var probe = await clinic.Probe.NextAsync("a");
        for (var i = 0; i < 1000; i++) Suspect(clinic, Evidence.NoAnswer);

        Assert.Equal(before + 1, clinic.Probe.Count);
        probe.Good();
        await clinic.Time.TimerAsync(Clinic.Interval);
        Assert.Equal(before + 1, clinic.Probe.Count);
    }

    [Fact]
    public async Task Suspicion_ProbeWasLongAgo_ComesAtOnce()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Clinic.Interval / 2);

        Suspect(clinic, Evidence.NoAnswer);

        (await clinic.Probe.NextAsync("a")).Good();
    }

    [Fact]
    public async Task Proof_OneFailedProbeAgrees_IsOut()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        Suspect(clinic, Evidence.Refused);
        clinic.Time.Advance(Rest);
        await clinic.AnswerAsync("refused");

        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
        Assert.EndsWith("is Unhealthy: traffic raised suspicion, and the probe agrees: refused", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suspicion_ProbesFail_TakesAsManyAsAlwaysWithoutTheInterval()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        Suspect(clinic, Evidence.TimedOut);
        clinic.Time.Advance(Rest);
        await clinic.AnswerAsync("silent");
        clinic.Time.Advance(Rest);
        await clinic.AnswerAsync("silent");
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
        clinic.Time.Advance(Rest);
        await clinic.AnswerAsync("silent");

        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
        Assert.EndsWith("probe: 3 failures in a row, the last: silent", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Out_TrafficSucceeds_OnlyProbesBringItBack()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync("refused", "refused", "refused");

        for (var i = 0; i < 50; i++) clinic.Board.Succeeded(clinic.Backend());
        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
        await clinic.ProbedAsync(null, null);

        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Missed_BackendIsOut_IsProbedAtOnce()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync("refused", "refused", "refused");
        clinic.Time.Advance(Rest);

        clinic.Board.Missed(clinic.Snapshot);

        (await clinic.Probe.NextAsync("a")).Good();
    }

    [Fact]
    public async Task Probe_FailsForWantOfOurOwn_CountsForNothing()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        for (var i = 0; i < 20; i++)
        {
            clinic.Time.Advance(Clinic.Interval);
            (await clinic.Probe.NextAsync("a")).Throw(new SocketException((int)SocketError.TooManyOpenSockets));
            await clinic.Time.TimerAsync(Clinic.Interval);
        }

        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Ours_Reported_AsksNoProbe()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Rest);
        var before = clinic.Probe.Count;

        foreach (var ours in (Evidence[])[Evidence.OutOfResources, Evidence.OutOfReach]) Suspect(clinic, ours);
        Assert.Equal(0, clinic.Backend().AwaySince);
        Suspect(clinic, Evidence.NoAnswer);
        Assert.NotEqual(0, clinic.Backend().AwaySince);
        (await clinic.Probe.NextAsync("a")).Good();

        Assert.Equal(before + 1, clinic.Probe.Count);
    }

    [Fact]
    public async Task Suspicion_TrafficDoesNotCount_AsksNoProbe()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Health.Passive.Enabled = false));
        var before = clinic.Probe.Count;

        Suspect(clinic, Evidence.Refused);
        clinic.Time.Advance(Clinic.Interval);
        (await clinic.Probe.NextAsync("a")).Good();

        Assert.Equal(before + 1, clinic.Probe.Count);
    }

    private static void Suspect(Clinic clinic, Evidence evidence) => clinic.Board.Failed(clinic.Backend(), Suspicion.Of(evidence, null));
}
