using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Storms;

/// <summary>A backend dies, and all of its clients come back at once.</summary>
public sealed class ReconnectTests : StormTest
{
    private const int Clients = 400;

    private const int Limit = 4;

    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.RawEpoll)]
    [InlineData(Lane.Portable)]
    [InlineData(Lane.RawTls)]
    [InlineData(Lane.RawTlsEpoll)]
    [InlineData(Lane.InsideTls)]
    public async Task The_others_get_them_as_fast_as_they_can_take_them_and_all_are_back(Lane lane)
    {
        GatedBackend[] backends = [.. Enumerable.Range(0, 4).Select(_ => Owned(new GatedBackend()))];
        foreach (var backend in backends) backend.Open();
        var settings = Pool([.. backends.Select(backend => backend.Address)])
            .With("Pools:chat:Queue:Length", "1000").With("Pools:chat:Queue:Timeout", "00:01:00");
        for (var i = 0; i < backends.Length; i++) settings.With($"Pools:chat:Backends:{(char)('a' + i)}:MaxHandshakes", $"{Limit}");
        var balancer = Start(lane, settings);
        var clients = new RawClient[Clients];
        await Parallel.ForAsync(0, Clients, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) => clients[i] = await OpenAsync(balancer, lane));
        Assert.Equal(Clients, backends.Sum(backend => backend.Served));
        var dying = backends[0].Served;
        Assert.InRange(dying, Clients / 8, Clients / 2); // About a quarter: who meets a backend that has enough at the moment goes to the next.

        await backends[0].DisposeAsync();
        var back = 0;
        await Task.WhenAll(clients.Select(async client =>
        {
            var ended = client.WaitForEndAsync();
            await Task.WhenAny(ended, Task.Run(() => Wait.UntilAsync(() => Volatile.Read(ref back) == dying)));
            if (!ended.IsCompleted) return;
            await client.DisposeAsync();
            await OpenAsync(balancer, lane);
            Interlocked.Increment(ref back);
        }));

        Assert.Equal(dying, back);
        await Wait.UntilAsync(() => balancer.OpenTunnels == Clients);
        Assert.All(backends, backend => Assert.InRange(backend.Most, 1, Limit));
        Assert.Equal(Clients, backends.Skip(1).Sum(backend => backend.Served));
        AssertNothingHeld(balancer);
        foreach (var backend in backends) await backend.DisposeAsync();
    }

    private async Task<RawClient> OpenAsync(Balancer balancer, Lane lane)
    {
        var client = await KnockAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        return client;
    }
}
