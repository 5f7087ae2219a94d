namespace StickyWs.Benchmarks.Balancers;

/// <summary>
/// A child's side of the talk with the comparison: one line in, one line out. The child ends when its standard input does, so that none
/// outlives a comparison that was killed.
/// </summary>
internal static class Commands
{
    public static async Task<int> ServeAsync(string greeting, Func<string[], Task<string>> answer)
    {
        await Console.Out.WriteLineAsync(greeting);
        while (await Console.In.ReadLineAsync() is { } line) await Console.Out.WriteLineAsync(await answer(line.Split(' ')));
        return 0;
    }
}
