using StickyWs.Dashboard.Page;

namespace StickyWs.Dashboard.Reading;

/// <summary>Every endpoint, below the prefix. What is mapped, documented and named in errors is this.</summary>
internal static class Routes
{
    public static (string Method, string Path)[] All { get; } =
    [
        ("GET", "state"),
        ("GET", "tunnels"),
        ("GET", "tunnels/{id}"),
        ("GET", "flows"),
        ("GET", "ends"),
        ("GET", "refusals"),
        ("GET", "drains"),
        ("GET", "events"),
        ("GET", "openapi.json"),
        ("POST", "backends/{pool}/{backend}:{action}"),
        ("POST", "backends:{action}"),
        ("POST", "pools/{pool}:{action}"),
        ("POST", "tunnels/{id}:{action}"),
    ];

    /// <summary>The paths of the page and its files.</summary>
    public static IReadOnlySet<string> Page { get; } = PageEndpoints.All.Select(file => file.Path).ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The methods that a path is for; none if there is nothing.</summary>
    /// <param name="path">The path below the prefix, without a slash before it.</param>
    public static string[] MethodsOf(string path)
    {
        if (Page.Contains(path.TrimEnd('/'))) return ["GET"];
        var parts = path.TrimEnd('/').Split('/');
        return parts switch
        {
            ["tunnels", _] => parts[1].Contains(':', StringComparison.Ordinal) ? ["GET", "POST"] : ["GET"],
            ["backends", _, _] or ["pools", _] => ["POST"],
            [var first] when first.StartsWith("backends:", StringComparison.OrdinalIgnoreCase) => ["POST"],
            [var first] when All.Any(route => route.Path.Equals(first, StringComparison.OrdinalIgnoreCase)) => ["GET"],
            _ => [],
        };
    }
}
