using StickyWs.Backends;

namespace StickyWs.Tests.Backends;

public sealed class LeaseTests
{
    private readonly TunnelTotal _total = new();

    [Fact]
    public void TryLease_Request_CountsUntilItIsDisposed()
    {
        var backend = Fleet.Backend(0, maxTunnels: 1, total: _total);

        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Request, maxTunnelsInAll: 0, out var first));
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Request, maxTunnelsInAll: 0, out var second));

        Assert.Same(backend, first.Backend);
        Assert.Equal((2, 0, 0), (backend.ActiveRequests, backend.ActiveTunnels, _total.Count));
        first.Dispose();
        second.Dispose();
        Assert.Equal((0, 0, 0), (backend.ActiveRequests, backend.ActiveTunnels, _total.Count));
    }

    [Fact]
    public void TryLease_TunnelBeyondTheBackendsLimit_IsRefusedAndCountsNothing()
    {
        var backend = Fleet.Backend(0, maxTunnels: 2, total: _total);
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out var lease));
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out _));

        Assert.Equal(LeaseResult.BackendFull, backend.TryLease(LeaseKind.Tunnel, 10, out _));

        Assert.Equal((2, 2), (backend.ActiveTunnels, _total.Count));
        lease.Dispose();
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out _));
    }

    [Fact]
    public void TryLease_TunnelBeyondTheProcessLimit_IsRefusedAndCountsNothing()
    {
        var a = Fleet.Backend(0, total: _total);
        var b = Fleet.Backend(1, total: _total);
        Assert.Equal(LeaseResult.Granted, a.TryLease(LeaseKind.Tunnel, 1, out var lease));

        Assert.Equal(LeaseResult.AllFull, b.TryLease(LeaseKind.Tunnel, 1, out _));

        Assert.Equal((1, 0, 1), (a.ActiveTunnels, b.ActiveTunnels, _total.Count));
        lease.Dispose();
        Assert.Equal(LeaseResult.Granted, b.TryLease(LeaseKind.Tunnel, 1, out _));
    }

    [Fact]
    public void Configure_LowerLimitThanTunnels_LetsThemLiveAndRefusesMore()
    {
        var backend = Fleet.Backend(0, total: _total);
        var leases = Enumerable.Range(0, 3).Select(_ => { backend.TryLease(LeaseKind.Tunnel, 10, out var lease); return lease; }).ToArray();

        backend.Configure(1, 2);

        Assert.Equal(LeaseResult.BackendFull, backend.TryLease(LeaseKind.Tunnel, 10, out _));
        Assert.Equal(3, backend.ActiveTunnels);
        leases[0].Dispose();
        Assert.Equal(LeaseResult.BackendFull, backend.TryLease(LeaseKind.Tunnel, 10, out _));
        leases[1].Dispose();
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TryLease_FromManyThreads_PairsToZero(bool isTunnel)
    {
        var kind = isTunnel ? LeaseKind.Tunnel : LeaseKind.Request;
        Backend[] backends = [Fleet.Backend(0, maxTunnels: 2, total: _total), Fleet.Backend(1, total: _total)];

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                if (backends[(thread + i) % 2].TryLease(kind, 4, out var lease) == LeaseResult.Granted) lease.Dispose();
            }
        });

        Assert.All(backends, backend => Assert.Equal((0, 0), (backend.ActiveRequests, backend.ActiveTunnels)));
        Assert.Equal(0, _total.Count);
    }

    [Theory]
    [InlineData(37, 1000, 37)]
    [InlineData(1000, 37, 37)]
    [InlineData(37, 37, 37)]
    public void TryLease_ManyThreadsForFewPlaces_GrantsExactlyTheLimit(int maxTunnels, int maxTunnelsInAll, int expected)
    {
        for (var round = 0; round < 50; round++)
        {
            var total = new TunnelTotal();
            var backend = Fleet.Backend(0, maxTunnels: maxTunnels, total: total);
            var granted = 0;

            Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                if (backend.TryLease(LeaseKind.Tunnel, maxTunnelsInAll, out var _) == LeaseResult.Granted) Interlocked.Increment(ref granted);
            });

            Assert.Equal((expected, expected, expected), (granted, backend.ActiveTunnels, total.Count));
        }
    }

    // Whoever is refused must not hold a place for a moment, lest another be refused that has room.
    [Fact]
    public async Task TryLease_RefusedByAFullBackend_TakesNoPlaceOfTheProcess()
    {
        var full = Fleet.Backend(0, maxTunnels: 1, total: _total);
        var free = Fleet.Backend(1, total: _total);
        Assert.Equal(LeaseResult.Granted, full.TryLease(LeaseKind.Tunnel, 2, out _));
        var stop = false;
        var knocking = Task.Factory.StartNew(
            () =>
            {
                var refused = 0;
                while (!Volatile.Read(ref stop)) refused += full.TryLease(LeaseKind.Tunnel, 2, out _) == LeaseResult.Granted ? 0 : 1;
                return refused;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        var turnedAway = 0;
        for (var i = 0; i < 2_000_000 && turnedAway == 0; i++)
        {
            if (free.TryLease(LeaseKind.Tunnel, 2, out var lease) == LeaseResult.Granted) lease.Dispose();
            else turnedAway++;
        }

        Volatile.Write(ref stop, true);
        Assert.True(await knocking > 0);
        Assert.Equal(0, turnedAway);
        Assert.Equal(1, _total.Count);
    }
}
