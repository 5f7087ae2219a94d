using System.Globalization;
using StickyWs.Fuzz;

const string Usage = """
    TARGET [--seconds N | --cases N] [--seed N] [--first N]

    TARGET is sniffer, response, body, affinity, frames, client-hello, record, record-content, record-content-client, direct-requests or
    direct-answers. The same seed makes the same cases; a failure names its case, which --first N --cases 1 runs again.
    """;

if (args.Length == 0 || FuzzTargets.Create(args[0]) is not { } target)
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

await using (target)
{
    var seed = Option("--seed") ?? 1;
    using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(Option("--cases") is null ? Option("--seconds") ?? 30 : 3600));
    try
    {
        var result = await Fuzzer.RunAsync(target, seed, Option("--first") ?? 0, Option("--cases") ?? int.MaxValue, deadline.Token);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{args[0]}, seed {seed}: {result.Cases} cases, {result.Accepted} accepted, no failure"));
        if (target.Tally is { } tally) Console.WriteLine(tally);
        return 0;
    }
    catch (FuzzFailureException e)
    {
        await Console.Error.WriteLineAsync(e.ToString());
        return 1;
    }
}

int? Option(string name) => Array.IndexOf(args, name) is > 0 and var i && i + 1 < args.Length ? int.Parse(args[i + 1], CultureInfo.InvariantCulture) : null;
