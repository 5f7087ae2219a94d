using System.Globalization;

namespace StickyWs.TestKit;

/// <summary>The descriptors of this process, by <c>/proc/self/fd</c>. Only a test that runs alone may compare their number with an earlier one.</summary>
public static class Descriptors
{
    /// <summary>How many there are, what nobody refers to any more not counted.</summary>
    public static int Count()
    {
        // A socket that a test has let go of is closed by its finalizer.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
    }

    /// <summary>What each of them is, for a message: kind and how many.</summary>
    public static string Describe()
    {
        var kinds = Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(Kind).GroupBy(kind => kind).OrderByDescending(group => group.Count());
        return string.Join(", ", kinds.Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}")));
    }

    private static string Kind(string path)
    {
        try
        {
            var target = new FileInfo(path).LinkTarget ?? "?";
            return target.Split(':', '[')[0] is "" or "?" || target.StartsWith('/') ? "file" : target.Split(":[")[0];
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
