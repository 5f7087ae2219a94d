using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Draining;

/// <summary>What becomes of a backend's tunnels, by the service and by the configuration.</summary>
public sealed class HandOffTests : IDisposable
{
    private static readonly BackendTarget ToB = BackendTarget.Of("CHAT", "B");

    private readonly DrainRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task HandOff_TellsAll_AndEndsEmpty()
    {
        var (mine, others) = (_rig.Open(50), _rig.Open(5, backend: Fleet.PoolOf(_rig.Registry).Backends[0]));
        List<DrainStatus> ended = [];
        _rig.Drains.Ended += ended.Add;

        var draining = _rig.Control.HandOffAsync(ToB);
        Assert.Equal(BackendMode.HandOff, _rig.B.Mode); // At once.
        await _rig.PassUntilAsync(() => draining.IsCompleted && ended.Count == 1);

        var status = Assert.Single(await draining);
        Assert.Equal((DrainOutcome.Empty, 50, 0, 0), (status.Outcome, status.Total, status.Left, status.Cut));
        Assert.All(mine, tunnel => Assert.Equal((EndReason.HandedOff, 1012, "service restart"), (tunnel.EndReason, tunnel.Said!.Code, tunnel.Said.Reason)));
        Assert.All(others, tunnel => Assert.False(tunnel.HasEnded));
        Assert.Equal(["Backend chat/b hands off its 50 tunnels within 00:00:30", "Backend chat/b is empty"], _rig.Lines);
        Assert.Equal(DrainOutcome.Empty, Assert.Single(ended).Outcome);
    }

    [Fact]
    public async Task HandOff_LongestIdle_IsFirst()
    {
        long[] idle = [5, 70, 3, 900, 0, 12];
        var tunnels = Array.ConvertAll(idle, milliseconds => FakeTunnel.Open(_rig.B, _rig.Tunnels, idle: milliseconds));

        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.Equal([900, 70, 12, 5, 3, 0], tunnels.OrderBy(tunnel => tunnel.SaidAt).Select(tunnel => tunnel.Idle));
    }

    [Fact]
    public async Task HandOff_StubbornOnes_AreCutAtTheDeadline()
    {
        var (easy, stubborn) = (_rig.Open(7), _rig.Open(3, isStubborn: true));

        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => stubborn.All(tunnel => tunnel.Said is not null));
        var running = Assert.Single(_rig.Control.Read());
        Assert.Equal((DrainOutcome.Draining, 3, 10), (running.Outcome, running.Left, running.Told));
        Assert.Equal(TimeSpan.FromMinutes(1), running.Until - running.Since);
        await _rig.PassUntilAsync(() => draining.IsCompleted);

        var status = Assert.Single(await draining);
        Assert.Equal((DrainOutcome.Cut, 3, 0), (status.Outcome, status.Cut, status.Left));
        Assert.All(easy, tunnel => Assert.Equal(EndReason.HandedOff, tunnel.EndReason));
        Assert.All(stubborn, tunnel => Assert.Equal(EndReason.Cut, tunnel.EndReason));
        Assert.Equal("Backend chat/b was cut with 3 left", _rig.Lines.Last());
    }

    [Fact]
    public async Task HandOff_WithoutADeadline_WaitsForEver()
    {
        var stubborn = Assert.Single(_rig.Open(1, isStubborn: true));
        var draining = _rig.Control.HandOffAsync(ToB, new HandOffSettings { Deadline = Timeout.InfiniteTimeSpan });
        await _rig.PassUntilAsync(() => stubborn.Said is not null);

        _rig.Clock.Advance(TimeSpan.FromDays(20));

        Assert.False(stubborn.HasEnded);
        Assert.Null(Assert.Single(_rig.Control.Read()).Until);
        stubborn.Abort(EndReason.ClientClosed);
        Assert.Equal(DrainOutcome.Empty, Assert.Single(await draining.WaitAsync(Wait.Bound)).Outcome);
    }

    [Fact]
    public async Task HandOff_Settings_OverrideThePools()
    {
        var tunnels = _rig.Open(5);

        var draining = _rig.Control.HandOffAsync(ToB, new HandOffSettings { Over = TimeSpan.FromHours(1), CloseCode = 4001, CloseReason = "bye" });
        await _rig.PassUntilAsync(() => tunnels.Any(tunnel => tunnel.Said is not null), seconds: 60);

        var said = tunnels.First(tunnel => tunnel.Said is not null).Said!;
        Assert.Equal((4001, "bye"), (said.Code, said.Reason));
        Assert.Contains("Backend chat/b hands off its 5 tunnels within 01:00:00", _rig.Lines);
        Assert.Equal(TimeSpan.FromHours(1), _rig.Control.Read().Single().Until - _rig.Control.Read().Single().Since);
        Assert.False(draining.IsCompleted);
    }

    [Fact]
    public async Task HandOff_Again_NeitherRestartsNorDoubles()
    {
        var tunnels = _rig.Open(300);
        var first = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.HasEnded) > 100);
        var since = Assert.Single(_rig.Control.Read()).Since;

        var second = _rig.Control.HandOffAsync(ToB, new HandOffSettings { Over = TimeSpan.FromHours(9) });
        _rig.Registry.Apply(Fleet.Options(pool => pool.RetryAfter = TimeSpan.FromSeconds(7), 1, 1));
        _rig.Registry.Apply(Fleet.Options(pool => pool.Backends["b"].Mode = BackendMode.HandOff, 1, 1));

        Assert.Equal(since, Assert.Single(_rig.Control.Read()).Since);
        await _rig.PassUntilAsync(() => first.IsCompleted && second.IsCompleted);
        Assert.InRange(_rig.Clock.GetUtcNow() - since, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(35));
        Assert.Single(_rig.Lines, line => line.Contains("hands off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Opened_Meanwhile_IsToldInTheRestOfTheTime()
    {
        var first = _rig.Open(2);
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => first.Any(tunnel => tunnel.HasEnded));

        var late = Assert.Single(_rig.Open(1));
        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.Equal(EndReason.HandedOff, late.EndReason);
        Assert.InRange(_rig.Clock.GetUtcNow() - Assert.Single(_rig.Control.Read()).Since, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(32));
    }

    // Its backend was chosen before the hand-off, and it took its time.
    [Fact]
    public async Task Opened_AfterAllElse_IsToldAtOnce()
    {
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => draining.IsCompleted);
        _rig.Clock.Advance(TimeSpan.FromSeconds(31));

        var late = Assert.Single(_rig.Open(1));
        await _rig.PassUntilAsync(() => late.HasEnded);

        Assert.Equal(EndReason.HandedOff, late.EndReason);
    }

    [Fact]
    public async Task Cut_AbortsAll_AndWhatOpensAfterwards()
    {
        var tunnels = _rig.Open(3, isStubborn: true);

        var status = Assert.Single(await _rig.Control.CutAsync(ToB).WaitAsync(Wait.Bound));
        var late = Assert.Single(_rig.Open(1));
        await Wait.UntilAsync(() => late.HasEnded);

        Assert.Equal((DrainOutcome.Cut, 3), (status.Outcome, status.Cut));
        Assert.All(tunnels.Append(late), tunnel => Assert.Equal((EndReason.Cut, null), (tunnel.EndReason, tunnel.Said)));
        Assert.Equal(["Backend chat/b was cut with 3 left"], _rig.Lines);
    }

    // Its handshake was under way: the table did not know it yet, but its lease was there.
    [Fact]
    public async Task Cut_OnlyWhatOpensAfterwards_IsSaidOnce()
    {
        Assert.Equal(LeaseResult.Granted, _rig.B.TryLease(LeaseKind.Tunnel, int.MaxValue, out var handshake));
        var draining = _rig.Control.CutAsync(ToB);
        var late = Assert.Single(_rig.Open(1));
        await Wait.UntilAsync(() => late.HasEnded);
        Assert.False(draining.IsCompleted);

        handshake.Dispose();

        Assert.Equal(DrainOutcome.Cut, Assert.Single(await draining.WaitAsync(Wait.Bound)).Outcome);
        Assert.Equal(["Backend chat/b was cut with 1 left"], _rig.Lines);
    }

    // The word that it has opened may come late.
    [Fact]
    public async Task Cut_OneThatTellsOfItsBeginningAfterItsEnd_CountsOnce()
    {
        var tunnel = Assert.Single(_rig.Open(1));
        Assert.Equal(1, Assert.Single(await _rig.Control.CutAsync(ToB).WaitAsync(Wait.Bound)).Cut);

        _rig.Drains.Find(_rig.B)!.Opened(tunnel);

        Assert.Equal(1, Assert.Single(_rig.Control.Read()).Cut);
    }

    [Fact]
    public async Task HandOff_ThoseThatEndBefore_AreNotTold()
    {
        var (leaving, staying) = (_rig.Open(40), _rig.Open(2, isStubborn: true));
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => leaving.Concat(staying).Any(tunnel => tunnel.Said is not null)); // The round is planned.
        Array.ForEach(leaving, tunnel => tunnel.Abort(EndReason.ClientClosed));

        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.Equal(leaving.Concat(staying).Count(tunnel => tunnel.Said is not null), Assert.Single(await draining).Told);
    }

    [Fact]
    public async Task HandOff_ATunnelWithADefect_KeepsNeitherTheOthersNorTheirOrder()
    {
        var broken = Assert.Single(_rig.Open(1, isStubborn: true));
        broken.Defect = new InvalidOperationException("defect");
        var tunnels = Array.ConvertAll([5L, 900, 70], milliseconds => FakeTunnel.Open(_rig.B, _rig.Tunnels, idle: milliseconds));

        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.Equal([900, 70, 5], tunnels.OrderBy(tunnel => tunnel.SaidAt).Select(tunnel => tunnel.Idle));
        Assert.Equal((1, 3), (Assert.Single(await draining).Cut, Assert.Single(await draining).Told));
    }

    // A logger of the application's may do anything, and ask for the drains.
    [Fact]
    public async Task Log_OfADrain_IsWrittenOutsideOfLocks()
    {
        _rig.Drains.Dispose(); // Another takes its place.
        BackendControl? control = null;
        var asked = 0;
        using var drains = new Drains(_rig.Registry, _rig.Tunnels, new AskingLogger(() =>
        {
            // On another thread, which needs the locks of the registry, of the drains and of the drain.
            var asking = Task.Run(() => (control!.Read(), _rig.Registry.TrySuspend(_rig.B, "test")));
            if (asking.Wait(Wait.Bound)) Interlocked.Increment(ref asked);
            throw new InvalidOperationException("logger");
        }));
        control = new BackendControl(_rig.Registry, drains, _rig.Clock);
        _rig.Open(1);

        var handingOff = control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => handingOff.IsCompleted);

        Assert.Equal(2, Volatile.Read(ref asked)); // It begins, and is empty.
    }

    [Fact]
    public async Task Cut_InTheMiddle_EndsTheHandOff()
    {
        var tunnels = _rig.Open(100);
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.HasEnded) > 20);

        await _rig.Control.CutAsync(ToB).WaitAsync(Wait.Bound);

        Assert.Equal(DrainOutcome.Cut, Assert.Single(await draining.WaitAsync(Wait.Bound)).Outcome); // Who waited for the one, got the other.
        Assert.Equal(100, tunnels.Count(tunnel => tunnel.EndReason is EndReason.HandedOff or EndReason.Cut));
    }

    [Fact]
    public async Task Undrain_InTheMiddle_KeepsTheRest()
    {
        var tunnels = _rig.Open(100);
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.HasEnded) > 20);

        _rig.Control.Undrain(ToB);
        var ended = tunnels.Count(tunnel => tunnel.HasEnded);
        _rig.Clock.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(DrainOutcome.Undrained, Assert.Single(await draining.WaitAsync(Wait.Bound)).Outcome);
        Assert.Equal(ended, tunnels.Count(tunnel => tunnel.HasEnded));
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(_rig.Registry).Eligible));
        Assert.Empty(_rig.Control.Read());
        var again = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => again.IsCompleted);
        Assert.Equal(100 - ended, Assert.Single(await again).Total);
    }

    [Fact]
    public async Task Stop_WaitsForTunnelsAndRequests_AndTellsNobody()
    {
        var tunnel = Assert.Single(_rig.Open(1));
        Assert.Equal(LeaseResult.Granted, _rig.B.TryLease(LeaseKind.Request, int.MaxValue, out var request));
        var stopping = _rig.Control.StopAsync(ToB);
        _rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Null(tunnel.Said);

        tunnel.Abort(EndReason.ClientClosed);
        Assert.Equal((0, 1), (_rig.Control.Read().Single().Left, _rig.Control.Read().Single().Requests));
        Assert.False(stopping.IsCompleted);
        request.Dispose();

        Assert.Equal(DrainOutcome.Empty, Assert.Single(await stopping.WaitAsync(Wait.Bound)).Outcome);
        Assert.Equal(["Backend chat/b is empty"], _rig.Lines);
    }

    // A client that is pinned to it may come at any time.
    [Fact]
    public async Task Stop_UsedAgainAfterItWasEmpty_IsWaitedForAgain()
    {
        Assert.Equal(DrainOutcome.Empty, Assert.Single(await _rig.Control.StopAsync(ToB).WaitAsync(Wait.Bound)).Outcome);
        var pinned = Assert.Single(_rig.Open(1));

        Assert.Equal((DrainOutcome.Draining, 1), (_rig.Control.Read().Single().Outcome, _rig.Control.Read().Single().Left));
        var (again, waiting) = (_rig.Control.StopAsync(ToB), _rig.Control.WhenEmptyAsync(ToB));
        Assert.False(again.IsCompleted || waiting.IsCompleted);
        pinned.Abort(EndReason.ClientClosed);

        Assert.Equal(DrainOutcome.Empty, Assert.Single(await again.WaitAsync(Wait.Bound)).Outcome);
        Assert.Equal(0, Assert.Single(await waiting.WaitAsync(Wait.Bound)).Left);
    }

    // A known client comes back to a, while b is waited for.
    [Fact]
    public async Task Stop_OneUsedAgainWhileAnotherIsWaitedFor_WaitsForBoth()
    {
        var a = Fleet.PoolOf(_rig.Registry).Backends[0];
        var (first, late) = (Assert.Single(_rig.Open(1, backend: a)), Assert.Single(_rig.Open(1)));
        var stopping = _rig.Control.StopAsync(BackendTarget.Of("chat"));
        first.Abort(EndReason.ClientClosed);
        await _rig.Control.WhenEmptyAsync(BackendTarget.Of("chat", "a")).WaitAsync(Wait.Bound);
        var again = Assert.Single(_rig.Open(1, backend: a));

        late.Abort(EndReason.ClientClosed);
        await _rig.Control.WhenEmptyAsync(ToB).WaitAsync(Wait.Bound);
        for (var i = 0; i < 100; i++) await Task.Yield(); // A wait that ends too early does so here.
        Assert.False(stopping.IsCompleted);
        again.Abort(EndReason.ClientClosed);

        Assert.All(await stopping.WaitAsync(Wait.Bound), status => Assert.Equal((DrainOutcome.Empty, 0), (status.Outcome, status.Left)));
    }

    // They hold no lease, and will.
    [Fact]
    public async Task Stop_ClientsInLine_AreWaitedFor()
    {
        var line = Fleet.PoolOf(_rig.Registry).Lines.Requests;
        Assert.Equal(LeaseResult.Granted, _rig.B.TryLease(LeaseKind.Request, int.MaxValue, out var first));
        _rig.B.Configure(1, null, new WorkLimits(MaxRequests: 1));
        using var leaving = new CancellationTokenSource();
        var waiter = new Waiter(Fleet.PoolOf(_rig.Registry), _rig.B, [], int.MaxValue, null);
        var waiting = line.WaitAsync(waiter, 10, TimeSpan.FromDays(1), leaving.Token).AsTask();
        _rig.B.NoteAwaited(LeaseKind.Tunnel, true); // As one does that waits for the rate of handshakes.
        var stopping = _rig.Control.StopAsync(ToB);

        var timers = _rig.Clock.Timers;
        first.Dispose();
        Assert.Equal(WaitEnd.Granted, await waiting.WaitAsync(Wait.Bound));
        waiter.Lease.Dispose();
        await Wait.UntilAsync(() => _rig.Clock.Timers > timers || stopping.IsCompleted); // It has looked.
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(stopping.IsCompleted);
        _rig.B.NoteAwaited(LeaseKind.Tunnel, false); // It gave up.
        await _rig.PassUntilAsync(() => stopping.IsCompleted);

        Assert.Equal(DrainOutcome.Empty, Assert.Single(await stopping).Outcome);
    }

    [Fact]
    public async Task Stop_InTheMiddleOfAHandOff_KeepsTheRest()
    {
        var tunnels = _rig.Open(100);
        _ = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.HasEnded) > 20);

        _ = _rig.Control.StopAsync(ToB);
        var ended = tunnels.Count(tunnel => tunnel.HasEnded);
        _rig.Clock.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(ended, tunnels.Count(tunnel => tunnel.HasEnded));
        Assert.Equal((BackendMode.Stop, 100 - ended), (_rig.Control.Read().Single().Mode, _rig.Control.Read().Single().Left));
    }

    [Fact]
    public async Task Removed_InTheMiddle_GoesOn_AndIsForgottenWhenEmpty()
    {
        var tunnels = _rig.Open(100);
        var draining = _rig.Control.HandOffAsync(ToB);
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.HasEnded) > 20);

        _rig.Registry.Apply(Fleet.Options(1));
        Assert.Single(_rig.Control.Read());
        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.All(tunnels, tunnel => Assert.Equal(EndReason.HandedOff, tunnel.EndReason));
        await Wait.UntilAsync(() => _rig.Control.Read().Count == 0);
        Assert.Throws<ArgumentException>(() => _rig.Control.Undrain(ToB));
    }

    // Neither of the two was ever told of again.
    [Fact]
    public async Task Removed_WhenEmpty_IsForgotten_AndNotMistakenForOneThatIsAdded()
    {
        await _rig.Control.HandOffAsync(ToB).WaitAsync(Wait.Bound);
        var old = _rig.B;

        _rig.Registry.Apply(Fleet.Options(1));
        Assert.Empty(_rig.Control.Read());
        _rig.Registry.Apply(Fleet.Options(1, 1));
        Assert.NotSame(old, _rig.B);

        Assert.Single(await _rig.Control.CutAsync(ToB).WaitAsync(Wait.Bound));
        Assert.Equal((BackendMode.HandOff, BackendMode.Cut), (old.Mode, _rig.B.Mode));
    }

    [Theory]
    [InlineData(RemovedBackendBehavior.Keep, EndReason.None)]
    [InlineData(RemovedBackendBehavior.HandOff, EndReason.HandedOff)]
    [InlineData(RemovedBackendBehavior.Cut, EndReason.Cut)]
    public async Task Removed_IsDrainedAsThePoolSays(RemovedBackendBehavior behavior, EndReason expected)
    {
        var tunnels = _rig.Open(10);

        _rig.Registry.Apply(Fleet.Options(pool => pool.Drain.WhenRemoved = behavior, 1));
        if (expected == EndReason.None) _rig.Clock.Advance(TimeSpan.FromDays(1));
        else await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded));

        Assert.All(tunnels, tunnel => Assert.Equal(expected, tunnel.EndReason));
    }

    [Fact]
    public async Task Configuration_EachMode_DoesWhatItsVerbDoes()
    {
        var tunnels = _rig.Open(20);

        _rig.Registry.Apply(Fleet.Options(pool => pool.Backends["b"].Enabled = false, 1, 1));
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        _rig.Registry.Apply(Fleet.Options(pool => pool.Backends["b"].Mode = BackendMode.HandOff, 1, 1));
        await _rig.PassUntilAsync(() => tunnels.Any(tunnel => tunnel.HasEnded));
        _rig.Registry.Apply(Fleet.Options(pool => pool.Backends["b"].Mode = BackendMode.Cut, 1, 1));

        Assert.Equal(DrainOutcome.Cut, Assert.Single(await _rig.Control.WhenEmptyAsync(ToB).WaitAsync(Wait.Bound)).Outcome);
    }

    [Fact]
    public async Task Reloads_AHundredInTheMiddle_LoseNothing()
    {
        var tunnels = _rig.Open(1000);
        var draining = _rig.Control.HandOffAsync(ToB);
        for (var reload = 0; reload < 100; reload++)
        {
            _rig.Registry.Apply(Fleet.Options(pool => pool.RetryAfter = TimeSpan.FromSeconds(1 + reload), 1, 1));
            _rig.Clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        await _rig.PassUntilAsync(() => draining.IsCompleted);

        Assert.All(tunnels, tunnel => Assert.Equal(EndReason.HandedOff, tunnel.EndReason));
        Assert.Equal((0, 0), (_rig.Tunnels.Count, _rig.B.ActiveTunnels));
        Assert.Equal(2, _rig.Lines.Count());
    }

    [Fact]
    public async Task Cancel_EndsTheWaitAndNotTheDrain()
    {
        var tunnel = Assert.Single(_rig.Open(1));
        using var source = new CancellationTokenSource();
        var draining = _rig.Control.StopAsync(ToB, source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
        Assert.Equal(BackendMode.Stop, _rig.B.Mode);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _rig.Control.CutAsync(ToB, source.Token));
        Assert.Equal((BackendMode.Stop, false), (_rig.B.Mode, tunnel.HasEnded)); // Cancelled before: nothing was done.
    }

    [Fact]
    public async Task Targets_AreABackendAPoolOrAll()
    {
        Assert.Equal(["a", "b"], (await _rig.Control.HandOffAsync(BackendTarget.All).WaitAsync(Wait.Bound)).Select(status => status.Backend));
        _rig.Control.Undrain(BackendTarget.Of("chat"));
        Assert.Equal([DrainOutcome.Undrained, DrainOutcome.Undrained],
            (await _rig.Control.WhenEmptyAsync(BackendTarget.Of("chat"))).Select(status => status.Outcome));
        await Assert.ThrowsAsync<ArgumentException>(() => _rig.Control.CutAsync(BackendTarget.Of("chat", "c")));
        await Assert.ThrowsAsync<ArgumentException>(() => _rig.Control.CutAsync(BackendTarget.Of("web")));
    }

    [Fact]
    public async Task Settings_OutOfRange_AreRefusedAndNothingIsDone()
    {
        HandOffSettings[] wrong =
        [
            new() { Over = TimeSpan.FromDays(2) }, new() { Over = TimeSpan.FromSeconds(-1) },
            new() { Over = TimeSpan.FromMinutes(1), Deadline = TimeSpan.FromSeconds(59) }, new() { CloseCode = 1006 },
            new() { CloseReason = new string('x', 124) },
        ];

        foreach (var settings in wrong) await Assert.ThrowsAsync<ArgumentException>(() => _rig.Control.HandOffAsync(ToB, settings));

        Assert.Equal(BackendMode.On, _rig.B.Mode);
    }

    // Of two pools the deadline does for one only.
    [Fact]
    public async Task Settings_OutOfRangeForALaterPool_LeaveNothingBehind()
    {
        var options = Fleet.Options(1, 1);
        options.Pools["slow"] = new PoolOptions
        {
            Backends = { ["a"] = new BackendOptions { Address = "http://127.0.0.1:5009" } },
            Drain = { Over = TimeSpan.FromHours(1), Deadline = TimeSpan.FromHours(2) },
        };
        _rig.Registry.Apply(options);
        var chat = _rig.Registry.Current.Pools.Single(pool => pool.Name == Fleet.Pool).Backends[1];
        FakeTunnel.Open(chat, _rig.Tunnels);

        await Assert.ThrowsAsync<ArgumentException>(
            () => _rig.Control.HandOffAsync(BackendTarget.All, new HandOffSettings { Deadline = TimeSpan.FromSeconds(40) }));
        options.Pools[Fleet.Pool].Backends["b"].Mode = BackendMode.HandOff;
        _rig.Registry.Apply(options);

        var status = Assert.Single(_rig.Control.Read());
        Assert.Equal(TimeSpan.FromMinutes(1), status.Until - status.Since); // As the pool says.
    }

    private sealed class AskingLogger(Action ask) : ILogger<Drains>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => ask();
    }
}
