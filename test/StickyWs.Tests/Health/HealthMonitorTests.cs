using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class HealthMonitorTests
{
    private const string Boom = "boom";

    [Fact]
    public async Task Start_FirstProbeUnderWay_WaitsForIt()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options());

        var starting = clinic.Monitor.StartAsync(Wait.Token());
        var call = await clinic.Probe.NextAsync("a");
        Assert.False(starting.IsCompleted);
        Assert.Empty(clinic.Eligible);
        call.Good();
        await starting;

        await Wait.UntilAsync(() => clinic.Eligible.Length == 1);
        Assert.EndsWith("was Unknown and is Healthy: probe: the first good one", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SilentBackend_WaitsForOneTimeoutAlone()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp!.Retries = 5));

        var starting = clinic.Monitor.StartAsync(Wait.Token());
        await clinic.Time.TimerAsync(Clinic.Timeout);
        await clinic.Time.TimerAsync(Clinic.Timeout);
        clinic.Time.Advance(Clinic.Timeout);
        await starting.WaitAsync(Wait.Token());

        Assert.Equal(BackendState.Unknown, clinic.Backend().State);
    }

    [Fact]
    public async Task Start_Cancelled_EndsAtOnce()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options());
        using var cancel = new CancellationTokenSource();

        var starting = clinic.Monitor.StartAsync(cancel.Token);
        await clinic.Probe.NextAsync("a");
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.WaitAsync(Wait.Token()));
    }

    [Fact]
    public async Task Probe_UnknownBackendFails_GetsNoWorkUntilFirstGoodOne()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options());
        var starting = clinic.Monitor.StartAsync(Wait.Token());
        await clinic.AnswerAsync(Boom);
        await starting;
        Assert.Equal(BackendState.Unknown, clinic.Backend().State);
        Assert.Empty(clinic.Eligible);

        await clinic.ProbedAsync((string?)null);

        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
        Assert.Equal(["a"], clinic.Eligible);
    }

    [Fact]
    public async Task Probe_UnknownBackendFallsToTheEnd_IsUnhealthy()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options());
        var starting = clinic.Monitor.StartAsync(Wait.Token());
        await clinic.AnswerAsync(Boom);
        await starting;

        await clinic.ProbedAsync(Boom, Boom);

        Assert.EndsWith("was Unknown and is Unhealthy: probe: 3 failures in a row, the last: boom", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_FallFailuresInARow_TurnUnhealthyWithTheLastCause()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        await clinic.ProbedAsync(Boom, Boom, null, Boom, Boom);
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
        await clinic.ProbedAsync("connection refused");

        Assert.EndsWith("was Healthy and is Unhealthy: probe: 3 failures in a row, the last: connection refused", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_RiseGoodOnesInARow_TurnHealthyAgain()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        await clinic.ProbedAsync(Boom, Boom, Boom);

        await clinic.ProbedAsync(null, Boom, null);
        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);
        await clinic.ProbedAsync((string?)null);

        Assert.EndsWith("was Unhealthy and is Healthy: probe: 2 good ones in a row", clinic.LastCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_SlowerThanItsInterval_NeverOverlaps()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Health.Tcp!.Timeout = TimeSpan.FromMinutes(5)));
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        clinic.Time.Advance(20 * Clinic.Interval);
        call.Good();
        await clinic.Time.TimerAsync(Clinic.Interval);
        clinic.Time.Advance(Clinic.Interval);
        var next = await clinic.Probe.NextAsync("a");

        Assert.Equal(21 * Clinic.Interval, next.Begun - call.Begun);
        Assert.Equal(3, clinic.Probe.Count);
        Assert.False(clinic.Probe.Overlapped);
    }

    [Theory]
    [InlineData(0, 0.25, 7.5)]
    [InlineData(0.5, 0.25, 10)]
    [InlineData(1, 0.25, 12.5)]
    [InlineData(0, 1, 0)]
    [InlineData(0.75, 0, 10)]
    public async Task Interval_WithJitter_VariesToBothSides(double random, double jitter, double seconds)
    {
        await using var clinic = new Clinic(random);
        clinic.Registry.Apply(Clinic.Options(pool => pool.Health.Tcp!.Jitter = jitter));

        var starting = clinic.Monitor.StartAsync(Wait.Token());
        (await clinic.Probe.NextAsync("a")).Good();
        await starting;

        // A wait of nothing needs no timer: the next probe is the proof.
        if (seconds > 0) await clinic.Time.TimerAsync(TimeSpan.FromSeconds(seconds));
        else await clinic.Probe.NextAsync("a");
    }

    [Fact]
    public async Task Probe_ThrowsAnything_LoopGoesOn()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Health.Tcp!.Fall = 1));
        clinic.Time.Advance(Clinic.Interval);

        (await clinic.Probe.NextAsync("a")).Throw(new InvalidOperationException("a defect"));
        await clinic.Time.TimerAsync(Clinic.Interval);

        Assert.EndsWith("is Unhealthy: probe: InvalidOperationException: a defect", clinic.LastCause, StringComparison.Ordinal);
        await clinic.ProbedAsync(null, null);
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Report_Throws_LoopGoesOnAndSaysSo()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Health.Tcp!.Fall = 1));
        Action<RegistrySnapshot> broken = _ => throw new InvalidOperationException("a broken listener");
        clinic.Registry.Changed += broken;

        await clinic.ProbedAsync(Boom);
        clinic.Registry.Changed -= broken;

        var line = Assert.Single(clinic.Logs.Lines, line => line.Event == "ProbeLoopFailed");
        Assert.Equal("a broken listener", line.Exception?.Message);
        await clinic.ProbedAsync(null, null);
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Probe_Fails_IsOneWarningUntilItHasRecovered()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        await clinic.ProbedAsync(Boom, Boom, null, Boom, null, Boom);
        var line = Assert.Single(clinic.Logs.Lines, IsFirst);
        Assert.Equal(
            (LogLevel.Warning, "Probe of chat/a at http://127.0.0.1:5000/ failed: boom. Further failures are logged at Debug until it recovers"),
            (line.Level, line.Text));

        await clinic.ProbedAsync(null, null, Boom);
        Assert.Equal(2, clinic.Logs.Lines.Count(IsFirst));
    }

    // A name server that does not answer says nothing of the backend, which stays what it was; but somebody must hear of it.
    [Fact]
    public async Task Probe_SaysNothing_IsOneWarningAndTheFailureBehindItAnother()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();

        for (var i = 0; i < 3; i++)
        {
            clinic.Time.Advance(Clinic.Interval);
            (await clinic.Probe.NextAsync("a")).Throw(new SocketException((int)SocketError.TryAgain));
            await clinic.Time.TimerAsync(Clinic.Interval);
        }

        Assert.Single(clinic.Logs.Lines, IsFirst);
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);

        await clinic.ProbedAsync(Boom, Boom);
        Assert.Equal(2, clinic.Logs.Lines.Count(IsFirst));
    }

    [Fact]
    public async Task Start_FirstProbeFails_IsAWarning()
    {
        await using var clinic = new Clinic();
        clinic.Registry.Apply(Clinic.Options());

        var starting = clinic.Monitor.StartAsync(Wait.Token());
        await clinic.AnswerAsync(Boom);
        await starting;

        Assert.Single(clinic.Logs.Lines, IsFirst);
    }

    [Fact]
    public async Task Probe_FailsWhileItDrains_IsNoWarningUntilItIsToServe()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Registry.Apply(Clinic.Options(pool => pool.Backends["a"].Enabled = false));

        await clinic.ProbedAsync(Boom, Boom, Boom);
        Assert.DoesNotContain(clinic.Logs.Lines, line => line.Level >= LogLevel.Warning);
        clinic.Registry.Apply(Clinic.Options());
        await clinic.ProbedAsync(Boom);

        Assert.Single(clinic.Logs.Lines, IsFirst);
    }

    private static bool IsFirst(LogLine line) => line.Event == "FirstProbeFailed";

    [Fact]
    public async Task Stop_ProbeUnderWay_EndsIt()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        await clinic.Monitor.StopAsync(Wait.Token());
        await call.CancelledAsync();
        clinic.Time.Advance(10 * Clinic.Interval);

        Assert.Equal(2, clinic.Probe.Count);
        Assert.Equal(BackendState.Healthy, clinic.Backend().State);
    }

    [Fact]
    public async Task Dispose_NeverStopped_EndsProbeAllTheSame()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Time.Advance(Clinic.Interval);
        var call = await clinic.Probe.NextAsync("a");

        clinic.Monitor.Dispose();

        await call.CancelledAsync();
    }

    // A host that is run and disposed of by two hands does so.
    [Fact]
    public async Task Stop_WhileDisposedOf_EndsInOrder()
    {
        for (var i = 0; i < 500; i++)
        {
            await using var clinic = new Clinic();
            await clinic.Monitor.StartAsync(Wait.Token());
            using var both = new Barrier(2);
            var stopping = Task.Run(() =>
            {
                both.SignalAndWait(Wait.Token());
                return clinic.Monitor.StopAsync(Wait.Token());
            });
            both.SignalAndWait(Wait.Token());
            clinic.Monitor.Dispose();
            await stopping;
        }
    }
}
