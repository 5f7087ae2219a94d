using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;

namespace StickyWs.Tests.Health;

public sealed class StickyWsHealthCheckTests
{
    private readonly BackendRegistry _registry = new(NullLogger<BackendRegistry>.Instance, TimeProvider.System);

    [Fact]
    public async Task Check_NoPools_IsHealthy() => Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);

    [Fact]
    public async Task Check_AllEligible_IsHealthyAndNamesThem()
    {
        Apply();
        Report("a", BackendState.Healthy);
        Report("b", BackendState.Healthy);

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal("2 of 2 backends get new work", result.Data["chat"]);
        Assert.Equal("Healthy", result.Data["chat/a"]);
    }

    [Fact]
    public async Task Check_OneUnhealthy_IsDegradedAndNamesThePool()
    {
        Apply();
        Report("a", BackendState.Healthy);
        Report("b", BackendState.Unhealthy);

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains("chat", result.Description, StringComparison.Ordinal);
        Assert.Equal("1 of 2 backends get new work", result.Data["chat"]);
        Assert.Equal("Unhealthy", result.Data["chat/b"]);
    }

    [Fact]
    public async Task Check_DisabledBackend_IsNotMissed()
    {
        Apply(pool => pool.Backends["b"].Enabled = false);
        Report("a", BackendState.Healthy);

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal("1 of 1 backends get new work", result.Data["chat"]);
        Assert.Equal("Draining", result.Data["chat/b"]);
    }

    [Fact]
    public async Task Check_NewBackendsNotKnownYet_IsDegraded()
    {
        Apply();
        Report("a", BackendState.Healthy);

        Apply(pool => pool.Backends["a"].Address = pool.Backends["b"].Address = "http://127.0.0.1:6000");

        Assert.Equal(HealthStatus.Degraded, (await CheckAsync()).Status);
    }

    [Theory]
    [InlineData(NoneHealthyBehavior.FailClosed)]
    [InlineData(NoneHealthyBehavior.UseAll)]
    public async Task Check_NoneHealthy_IsUnhealthyEvenInPanic(NoneHealthyBehavior behavior)
    {
        Apply(pool => pool.WhenNoneHealthy = behavior);

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Equal("0 of 2 backends get new work", result.Data["chat"]);
    }

    [Fact]
    public async Task Check_OtherFailureStatus_IsHonoured()
    {
        Apply();

        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(HealthStatus.Degraded)).Status);
    }

    [Theory]
    [InlineData(HealthStatus.Unhealthy)]
    [InlineData(HealthStatus.Degraded)] // Answers 200 otherwise.
    public async Task Check_StoppingProcess_IsUnhealthyWhateverItsBackendsAre(HealthStatus failureStatus)
    {
        Apply();
        Report("a", BackendState.Healthy);
        Report("b", BackendState.Healthy);
        var readiness = new ProcessReadiness();
        var check = new StickyWsHealthCheck(_registry, readiness);
        var context = new HealthCheckContext { Registration = new HealthCheckRegistration("stickyws", check, failureStatus, null) };
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(context)).Status);

        readiness.Leave();

        var result = await check.CheckHealthAsync(context);
        Assert.Equal((HealthStatus.Unhealthy, "The process is stopping."), (result.Status, result.Description));
        Assert.Equal("2 of 2 backends get new work", result.Data["chat"]);
    }

    private void Apply(Action<PoolOptions>? change = null) => _registry.Apply(Clinic.Options(change, "a", "b"));

    private void Report(string backend, BackendState state)
        => _registry.Report(_registry.Current.Pools.Single().Backends.Single(b => b.Name == backend), state, "test");

    private Task<HealthCheckResult> CheckAsync(HealthStatus failureStatus = HealthStatus.Unhealthy)
    {
        var check = new StickyWsHealthCheck(_registry);
        return check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("stickyws", check, failureStatus, null) });
    }
}
