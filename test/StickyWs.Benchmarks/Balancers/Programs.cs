using System.Diagnostics;
using System.Text.RegularExpressions;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>The peers' programs, which are installed or were given.</summary>
internal static partial class Programs
{
    // Where servers lie; a user's PATH often has neither.
    private static readonly string[] ServerFolders = ["/usr/sbin", "/usr/local/sbin"];

    /// <summary>The paths that were given, or the one that is installed, or none.</summary>
    public static IReadOnlyList<string> Of(string name, IReadOnlyList<string> given) => given.Count > 0 ? given : Find(name) is { } path ? [path] : [];

    /// <summary>What it says of itself, in one line.</summary>
    public static string Version(string path) => Says(path, "-v").Split('\n')[0].Trim();

    /// <summary>What it writes when it is asked with an argument.</summary>
    public static string Says(string path, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo(path, [argument]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
        return output + error;
    }

    /// <summary>Its version as a number.</summary>
    public static string ShortVersion(string path) => Number().Match(Version(path)).Value;

    public static string? Find(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(ServerFolders)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    [GeneratedRegex(@"\d+(\.\d+)+(-dev\d+)?")]
    private static partial Regex Number();
}
