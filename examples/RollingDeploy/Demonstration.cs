using System.Diagnostics;
using StickyWs.Examples.RollingDeploy.Clients;

namespace StickyWs.Examples.RollingDeploy;

/// <summary>Three backends are replaced one by one under clients; in the end it tells what these noticed.</summary>
internal static class Demonstration
{
    private const string Pool = "app";
    private const int Requesters = 4;

    /// <returns>Whether they noticed nothing but Close frames.</returns>
    public static async Task<bool> RunAsync(string[] args)
    {
        var backends = new BackendList();
        List<BackendProcess> running = [.. await Task.WhenAll(new[] { "a", "b", "c" }.Select(BackendProcess.StartAsync))];
        List<Dictionary<string, int[]>> received = [];
        try
        {
            foreach (var backend in running) backends.Add(Pool, backend.Name, backend.Address);
            await using var balancer = Balancer.Build(args, backends);
            await balancer.StartAsync();
            var count = balancer.Configuration.GetValue("clients", 300);

            await using var crowd = new Crowd();
            await crowd.ArriveAsync(balancer.Urls.First(), count, count, Requesters);
            Console.WriteLine($"{count} SignalR clients, {count} plain WebSocket clients and {Requesters} that make requests are there. Now the deploy:");

            var rollout = balancer.Services.GetRequiredService<Rollout>();
            foreach (var old in running.ToArray())
            {
                received.Add(await ReplaceAsync(old, running, rollout, crowd.Noticed));
            }

            while (crowd.Noticed.Connected < 2 * count && crowd.Noticed.Failures.Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(100));
            await crowd.LeaveAsync();
            foreach (var backend in running) received.Add(await backend.ReadReceivedAsync());
            return Tell(crowd.Noticed, received);
        }
        finally
        {
            foreach (var backend in running) await backend.DisposeAsync();
        }
    }

    // The deploy of one backend: start the new one, let clients in, see the old one out, end it.
    private static async Task<Dictionary<string, int[]>> ReplaceAsync(BackendProcess old, List<BackendProcess> running, Rollout rollout, Noticed noticed)
    {
        var clock = Stopwatch.StartNew();
        var successor = await BackendProcess.StartAsync($"{old.Name}2");
        running.Add(successor);
        await rollout.AddAsync(Pool, successor.Name, successor.Address, CancellationToken.None);
        var drain = await rollout.RemoveAsync(Pool, old.Name, CancellationToken.None);

        var received = await old.ReadReceivedAsync();    // for the reckoning in the end
        running.Remove(old);
        await old.DisposeAsync();
        Console.WriteLine($"{old.Name} was replaced by {successor.Name} in {clock.Elapsed.TotalSeconds:0} s: {drain.Told} told, {drain.Cut} cut. "
            + $"So far {noticed.Reconnects} reconnects, {noticed.Failures.Count} failures.");
        return received;
    }

    private static bool Tell(Noticed noticed, List<Dictionary<string, int[]>> received)
    {
        var arrived = received.SelectMany(backend => backend).ToLookup(client => client.Key, client => client.Value);
        var confirmed = noticed.Acknowledged.Values.Sum();
        var lost = noticed.Acknowledged.Sum(client => Enumerable.Range(1, client.Value).Except(arrived[client.Key].SelectMany(numbers => numbers)).Count());
        var twice = arrived.Sum(client => client.Sum(numbers => numbers.Length) - client.SelectMany(numbers => numbers).Distinct().Count());
        Console.WriteLine($"""

            What the clients noticed
              close codes     {string.Join(", ", noticed.Codes.Select(code => $"{code.Key}: {code.Value} times"))}
              reconnects      {noticed.Reconnects}, at most {noticed.MostReconnectsInASecond} in one second
              messages        {confirmed} acknowledged, {lost} of them lost; {twice} arrived twice, as their acknowledgement did not come in time
              requests        {noticed.Requests} answered
              failures        {noticed.Failures.Count}
            """);
        foreach (var failure in noticed.Failures.Take(10)) Console.WriteLine($"    {failure}");
        return lost == 0 && noticed.Failures.Count == 0 && noticed.Codes.Keys.All(code => code == 1012);
    }
}
