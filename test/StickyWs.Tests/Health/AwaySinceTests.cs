using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Health;

/// <summary>Since when nothing good was heard of a backend: what <c>HoldFor</c> goes by.</summary>
public sealed class AwaySinceTests : IDisposable
{
    private static readonly Suspicion Refused = new(Evidence.Refused, "refused");

    private readonly FakeTimeProvider _time = new();
    private readonly BackendRegistry _registry;
    private readonly BreakerBoard _board;

    public AwaySinceTests()
    {
        _registry = Fleet.Registry(Fleet.Options(1), time: _time);
        _board = new BreakerBoard(_registry, new ScriptedProbe(_time), _time, new FakeLogger<BreakerBoard>());
    }

    private Backend Backend => Fleet.PoolOf(_registry).Backends[0];

    public void Dispose() => _board.Dispose();

    [Fact]
    public void AwaySince_NewBackend_IsNever() => Assert.Equal(0, Backend.AwaySince);

    [Fact]
    public void Report_Unhealthy_IsNotedTheFirstTime()
    {
        var since = Report(BackendState.Unhealthy);
        Assert.Equal(since, Backend.AwaySince);

        Report(BackendState.Unhealthy);

        Assert.Equal(since, Backend.AwaySince);
    }

    [Fact]
    public void Report_UnknownAfterARest_IsNoGoodNews()
    {
        var since = Report(BackendState.Unhealthy);

        Report(BackendState.Unknown);
        Assert.Equal(since, Backend.AwaySince);

        // The trial failed: it was never back.
        Report(BackendState.Unhealthy);
        Assert.Equal(since, Backend.AwaySince);
    }

    [Fact]
    public void Report_Healthy_IsGoodNews()
    {
        Report(BackendState.Unhealthy);
        Report(BackendState.Healthy);
        Assert.Equal(0, Backend.AwaySince);

        var since = Report(BackendState.Unhealthy);
        Assert.Equal(since, Backend.AwaySince);
    }

    // It accepts handshakes: its clients need not wait for its return.
    [Fact]
    public void TunnelsThatDieYoung_AreNoAbsence()
    {
        _board.Failed(Backend, Suspicion.Of(Evidence.DiesYoung, null));

        Assert.Equal(0, Backend.AwaySince);
    }

    [Fact]
    public void Failed_ByTheDataPath_IsNotedTheFirstTime()
    {
        var since = _time.GetTimestamp();
        _board.Failed(Backend, Refused);
        _time.Advance(TimeSpan.FromSeconds(1));
        _board.Failed(Backend, Refused);

        Assert.Equal(since, Backend.AwaySince);
    }

    [Fact]
    public void Report_UnhealthyAfterFailures_CountsFromTheFirstFailure()
    {
        var since = _time.GetTimestamp();
        _board.Failed(Backend, Refused);
        _time.Advance(TimeSpan.FromSeconds(1));

        Report(BackendState.Unhealthy);

        Assert.Equal(since, Backend.AwaySince);
    }

    [Fact]
    public void Succeeded_AfterAFailure_IsGoodNews()
    {
        _board.Failed(Backend, Refused);
        _board.Succeeded(Backend);

        Assert.Equal(0, Backend.AwaySince);
    }

    [Fact]
    public void Succeeded_AfterARest_IsGoodNews()
    {
        Report(BackendState.Unhealthy);
        Report(BackendState.Unknown);

        _board.Succeeded(Backend);

        Assert.Equal(0, Backend.AwaySince);
    }

    // What ends well then began before.
    [Fact]
    public void Succeeded_WhileItIsUnhealthy_IsNone()
    {
        var since = Report(BackendState.Unhealthy);

        _board.Succeeded(Backend);

        Assert.Equal(since, Backend.AwaySince);
    }

    // Clients may sit in their tunnels for hours; that one of them could not come in long ago is no reason not to hold them when it goes.
    [Fact]
    public async Task Probe_GoodOneAfterAFailureOfTheDataPath_IsGoodNews()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync();
        clinic.Board.Failed(clinic.Backend(), Refused);
        Assert.NotEqual(0, clinic.Backend().AwaySince);

        await clinic.ProbedAsync((string?)null);

        Assert.Equal((BackendState.Healthy, 0), (clinic.Backend().State, clinic.Backend().AwaySince));
    }

    [Fact]
    public async Task Probe_GoodOneThatIsNotYetEnough_IsNone()
    {
        await using var clinic = new Clinic();
        await clinic.StartHealthyAsync(Clinic.Options(pool => pool.Health.Tcp!.Rise = 3));
        await clinic.ProbedAsync([.. Enumerable.Repeat("silent", clinic.Snapshot.Options.Health.Tcp!.Fall)]);
        Assert.Equal(BackendState.Unhealthy, clinic.Backend().State);

        await clinic.ProbedAsync((string?)null);

        Assert.NotEqual(0, clinic.Backend().AwaySince);
    }

    [Fact]
    public void Apply_DisabledAndEnabledAgain_IsNoNews()
    {
        var since = Report(BackendState.Unhealthy);

        _registry.Apply(Fleet.Options(pool => pool.Backends["a"].Enabled = false, 1));
        Assert.Equal(since, Backend.AwaySince);
        _registry.Apply(Fleet.Options(1));

        Assert.Equal(since, Backend.AwaySince);
    }

    [Fact]
    public void Apply_OtherAddress_IsAnotherBackend()
    {
        Report(BackendState.Unhealthy);

        _registry.Apply(Fleet.Options(pool => pool.Backends["a"].Address = "http://127.0.0.1:6000", 1));

        Assert.Equal(0, Backend.AwaySince);
    }

    [Fact]
    public void Apply_ProbesSwitchedOn_TrustsWhatServed()
    {
        _board.Failed(Backend, Refused);

        _registry.Apply(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1));

        Assert.Equal((BackendState.Healthy, 0), (Backend.State, Backend.AwaySince));
    }

    // The time of the report; the clock goes on behind it.
    private long Report(BackendState state)
    {
        var now = _time.GetTimestamp();
        _registry.Report(Backend, state, "test");
        _time.Advance(TimeSpan.FromSeconds(1));
        return now;
    }
}
