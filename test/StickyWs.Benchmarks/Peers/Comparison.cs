using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>
/// All contestants before the same backend and under the same load, in turns and round by round, so that the machine's other work meets all.
/// </summary>
internal sealed class Comparison(IReadOnlyList<Contestant> contestants, BackendPair backends, Wiring wiring, PeersOptions options, Results results)
{
    public IReadOnlyList<Contestant> Contestants => contestants;

    public Results Results => results;

    /// <summary>How long a round loads each contestant.</summary>
    public TimeSpan Duration => options.Duration;

    /// <summary>How long a contestant is loaded before its first round, so that what compiles while it runs has done so, and HAProxy splices.</summary>
    public TimeSpan WarmUp(Contestant contestant) => contestant.IsJitted ? options.WarmUp : TimeSpan.FromSeconds(2);

    /// <summary>Nobody in the middle: what a balancer's figures start from.</summary>
    public Contestant Direct { get; } = new("direct", "no balancer", false, Part.All, _ => Task.FromResult(backends.Direct(wiring)));

    /// <summary>Contestants that live through all rounds, side by side.</summary>
    public async Task TogetherAsync(IReadOnlyList<Contestant> those, Func<Bout, Task> prepare, Func<Bout, Task> round)
    {
        var bouts = new List<Bout>();
        try
        {
            foreach (var contestant in those)
            {
                bouts.Add(await StartAsync(contestant));
                await prepare(bouts[^1]);
            }

            for (var i = 0; i < options.Rounds; i++)
            {
                foreach (var bout in InTurn(bouts, i)) await round(bout);
            }
        }
        finally
        {
            bouts.ForEach(bout => bout.Dispose());
        }
    }

    /// <summary>Contestants that start anew for every round, for what is looked at is how they grow. It varies little: three rounds are enough.</summary>
    public Task AnewAsync(Func<Bout, Task> round) => AnewAsync(contestants, async contestant =>
    {
        using var bout = await StartAsync(contestant);
        await round(bout);
    });

    /// <summary>The same with whatever else has to start anew.</summary>
    public async Task AnewAsync(IReadOnlyList<Contestant> those, Func<Contestant, Task> round)
    {
        for (var i = 0; i < Math.Min(3, options.Rounds); i++)
        {
            foreach (var contestant in InTurn(those, i)) await round(contestant);
        }
    }

    /// <summary>A contestant in a place of its own.</summary>
    public static async Task<Bout> StartAsync(Contestant contestant, Place place)
    {
        var balancer = await contestant.StartAsync(place);
        try
        {
            return new Bout(contestant, balancer, await Child.StartEndAsync("load"));
        }
        catch
        {
            balancer.Dispose();
            throw;
        }
    }

    /// <summary>Where it stands, before the backend of all.</summary>
    public Place PlaceOf(Contestant contestant) => backends.PlaceOf(contestants.TakeWhile(one => one != contestant).Count(), wiring);

    private Task<Bout> StartAsync(Contestant contestant) => StartAsync(contestant, PlaceOf(contestant));

    // Another one begins in each round: nobody always runs behind the same neighbour's end.
    private static IEnumerable<T> InTurn<T>(IReadOnlyList<T> all, int round) => Enumerable.Range(0, all.Count).Select(i => all[(i + round) % all.Count]);
}
