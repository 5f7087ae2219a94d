namespace StickyWs.Fuzz;

/// <summary>Runs cases against a target. Case n of a seed is always the same, whatever ran before it.</summary>
public static class Fuzzer
{
    /// <exception cref="FuzzFailureException">A property was broken.</exception>
    public static async Task<FuzzResult> RunAsync(IFuzzTarget target, int seed, int first, int cases, CancellationToken stop)
    {
        var accepted = 0;
        var done = 0;
        for (; done < cases && !stop.IsCancellationRequested; done++)
        {
            var random = new Random(unchecked((seed * 1_000_003) + first + done));
            var input = new Mutator(target, random).Next();
            try
            {
                if (await target.CheckAsync(input, random)) accepted++;
            }
            catch (Exception e)
            {
                throw new FuzzFailureException(seed, first + done, input, e);
            }
        }

        return new FuzzResult(done, accepted);
    }
}
