namespace StickyWs.Benchmarks.Balancers;

/// <summary>Programs of the system, by name.</summary>
internal static class Programs
{
    // Where servers lie; a user's PATH often has neither.
    private static readonly string[] ServerFolders = ["/usr/sbin", "/usr/local/sbin"];

    public static string? Find(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(ServerFolders)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
