using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Access;
using StickyWs.Observability;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Access;

/// <summary>Which lines are kept for those who look later.</summary>
public sealed class RecentLinesTests
{
    [Fact]
    public void Add_Ends_KeepsTheLastThousand_TheNewestFirst()
    {
        var clock = new FakeTimeProvider();
        var recent = new RecentLines(clock);
        for (var i = 0; i < 2500; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            recent.Add(AccessRig.Line($"c{i}"));
        }

        var kept = recent.ReadEnds();

        Assert.Equal(Enumerable.Range(1500, RecentLines.Most).Reverse().Select(i => $"c{i}"), kept.Select(line => line.ConnectionId));
        Assert.Equal(clock.GetUtcNow(), kept[0].EndedAt);
        Assert.Empty(recent.ReadRefusals());
    }

    [Fact]
    public void Add_Few_EachIsThereOnce()
    {
        var recent = new RecentLines(TimeProvider.System);
        for (var i = 0; i < 3; i++) recent.Add(AccessRig.Line($"c{i}"));

        Assert.Equal(["c0", "c1", "c2"], recent.ReadEnds().Select(line => line.ConnectionId).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(AccessEvent.Handshake, "NoBackend", true)]
    [InlineData(AccessEvent.Handshake, "Declined", true)]
    [InlineData(AccessEvent.Handshake, null, true)]
    [InlineData(AccessEvent.Handshake, "ClientGone", false)]
    [InlineData(AccessEvent.Request, "NoneEligible", true)]
    [InlineData(AccessEvent.Request, "ClientGone", false)]
    [InlineData(AccessEvent.Request, null, false)]
    [InlineData(AccessEvent.Tunnel, "Opened", false)]
    public void Add_WhatWasRefused_IsKeptAndTold(object kind, string? outcome, bool isKept)
    {
        var (recent, told) = (new RecentLines(TimeProvider.System), 0);
        recent.Refused += _ => told++;

        recent.Add(new AccessLine { Event = (AccessEvent)kind, Pool = "chat", Lane = "raw", ConnectionId = "c1", Outcome = outcome });

        Assert.Equal((isKept ? 1 : 0, isKept ? 1 : 0), (recent.ReadRefusals().Length, told));
    }

    [Fact]
    public async Task Add_FromManyThreads_IsAlwaysAThousandAtMost()
    {
        var recent = new RecentLines(TimeProvider.System);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++) recent.Add(AccessRig.Line($"{thread}-{i}"));
        })));

        Assert.Equal(RecentLines.Most, recent.ReadEnds().Select(line => line.ConnectionId).Distinct().Count());
    }

    // Lines that are logged are kept anyway; while somebody looks there are lines that nobody logs.
    [Theory]
    [InlineData(LogLevel.Information, false, true)]
    [InlineData(LogLevel.Warning, false, false)]
    [InlineData(LogLevel.Warning, true, true)]
    public void Handshake_WithoutATunnel_IsKept_IfItIsLoggedOrSomebodyLooks(LogLevel level, bool isWatched, bool isKept)
    {
        using var rig = new AccessRig();
        rig.Log.Level = level;
        if (isWatched) rig.Attention.Look();
        Assert.Equal(isKept, rig.Accounts.IsWanted);

        using (var account = rig.Accounts.IsWanted ? Begin(rig) : null) account?.Ended(HandshakeOutcome.NoBackend, 503);

        var refused = rig.Recent.ReadRefusals();
        Assert.Equal(isKept ? 1 : 0, refused.Length);
        foreach (var line in refused)
            Assert.Equal((503, "NoBackend", "/chat", level == LogLevel.Information), (line.Status, line.Outcome, line.Path, line.IsLogged));
    }

    [Fact]
    public async Task Tunnel_OpenedWhileSomebodyLooks_IsKeptWithItsHandshake_AndNotLogged()
    {
        using var rig = new AccessRig();
        rig.Log.Level = LogLevel.Warning;
        rig.Attention.Look();
        TunnelRecord record;
        using (var account = Begin(rig)) record = account.Opened()!;

        record.End(new TunnelEnd("c1", AccessRig.Tuple, "chat", "a", LaneNames.Raw, EndReason.ClientClosed, "client", TimeSpan.FromSeconds(3))
        {
            BytesToBackend = 1,
            BytesToClient = 2,
            ClientCloseCode = 1001,
            BackendCloseCode = 0,
        });
        rig.Log.Level = LogLevel.Information;
        await rig.FlushAsync();

        var end = Assert.Single(rig.Recent.ReadEnds());
        Assert.Equal(("ClientClosed", 1001, "/chat"), (end.EndReason, end.ClientCloseCode, end.Path));
        Assert.Empty(rig.Log.Lines);
    }

    private static HandshakeAccount Begin(AccessRig rig)
    {
        var head = DispatchRig.Head("/chat?token=secret");
        return rig.Accounts.Begin(AccessRig.Client(), head, rig.Dispatcher.Decide(head, AccessRig.Tuple.SourceAddress)!);
    }
}
