using System.Globalization;

namespace StickyWs.TestKit;

/// <summary>
/// The sockets, pipes and such of this process, by <c>/proc/self/fd</c>; files are left out, since the runtime opens one for each assembly when it comes to it.
/// Only a test that runs alone may compare their number with an earlier one.
/// </summary>
public static class Descriptors
{
    /// <summary>How many there are, what nobody refers to any more not counted.</summary>
    public static int Count()
    {
        // A socket that a test has let go of is closed by its finalizer.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Kinds().Count();
    }

    /// <summary>Waits until there are no more than before; fails with what there is.</summary>
    public static async Task AssertNoMoreThanAsync(int before, string described)
    {
        try
        {
            await Wait.UntilAsync(() => Count() <= before);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"There were {before} descriptors: {described}. Now there are {Count()}: {Describe()}.");
        }
    }

    /// <summary>What they are, for a message: kind and how many.</summary>
    public static string Describe()
        => string.Join(", ", Kinds().GroupBy(kind => kind).Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}")));

    // The link of a socket reads "socket:[12345]".
    private static IEnumerable<string> Kinds()
        => Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(Target).Where(target => target.Contains(':', StringComparison.Ordinal))
            .Select(target => target.Split(':')[0]);

    private static string Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // Closed in between.
        }
    }
}
