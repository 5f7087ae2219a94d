using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Observability;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

public sealed class PolicyRunnerTests
{
    private readonly FakeLogger<PolicyRunner> _logger = new();

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Pick_PolicyThatPicksNonsense_IsLoggedOnceAndTheRotationDecides(int nonsense)
    {
        var runner = new PolicyRunner(new OwnPolicy((_, _) => nonsense), _logger);

        Assert.Equal([0, 1, 2, 0], Picks(runner, Fleet.Set(1, 1, 1)));

        var line = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal((LogLevel.Error, EventIds.PolicyMisbehaved), (line.Level, line.Id.Id));
        Assert.Contains("Policy Own misbehaved", line.Message, StringComparison.Ordinal);
        Assert.Null(line.Exception);
    }

    [Fact]
    public void Pick_PolicyThatThrows_IsLoggedOnceWithItsExceptionAndTheRotationDecides()
    {
        var boom = new InvalidOperationException("boom");
        var runner = new PolicyRunner(new OwnPolicy((_, _) => throw boom), _logger);

        Assert.Equal([0, 1, 2, 0], Picks(runner, Fleet.Set(1, 1, 1)));

        Assert.Same(boom, Assert.Single(_logger.Collector.GetSnapshot()).Exception);
    }

    [Fact]
    public void Pick_PolicyThatFailsNowAndThen_IsUsedWhenItDoesNot()
    {
        var runner = new PolicyRunner(new OwnPolicy((_, turn) => turn % 2 == 0 ? 2 : throw new InvalidOperationException()), _logger);

        Assert.Equal([2, 1, 2, 0], Picks(runner, Fleet.Set(1, 1, 1)));

        Assert.Single(_logger.Collector.GetSnapshot());
    }

    [Fact]
    public void Pick_PolicyOfTheUsers_SeesCandidatesAndTurn()
    {
        var set = Fleet.Set(1, 1);
        List<uint> turns = [];
        var runner = new PolicyRunner(
            new OwnPolicy((candidates, turn) =>
            {
                Assert.Same(set, candidates);
                turns.Add(turn);
                return 1;
            }),
            _logger);

        Assert.Equal([1, 1, 1, 1], Picks(runner, set));
        Assert.Equal([0u, 1u, 2u, 3u], turns);
        Assert.Empty(_logger.Collector.GetSnapshot());
    }

    [Fact]
    public void Pick_OneCandidate_AsksNobody()
        => Assert.Equal(0, new PolicyRunner(new OwnPolicy((_, _) => throw new InvalidOperationException()), _logger).Pick(Fleet.Set(1), 7));

    [Fact]
    public void Get_NameInAnotherCase_IsTheLastOneRegistered()
    {
        var table = new PolicyTable([new OwnPolicy((_, _) => 0, "RoundRobin"), new OwnPolicy((_, _) => 1, "roundrobin"),
            new OwnPolicy((_, _) => 0, "Other")], _logger);

        Assert.Equal(1, table.Get("ROUNDROBIN").Pick(Fleet.Set(1, 1), 0));
        Assert.Equal(0, table.Get("Other").Pick(Fleet.Set(1, 1), 0));
    }

    private static int[] Picks(PolicyRunner runner, BackendSet set) => [.. Enumerable.Range(0, 4).Select(turn => runner.Pick(set, (uint)turn))];
}
