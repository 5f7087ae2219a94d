using System.Security.Cryptography;

namespace StickyWs.Dashboard.Page;

/// <summary>A file of the page, as it is in the assembly.</summary>
/// <param name="Name">Its name, below <c>page/</c>.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">What is in it.</param>
/// <param name="Tag">Its entity tag, a strong one.</param>
internal sealed record PageFile(string Name, string ContentType, ReadOnlyMemory<byte> Bytes, string Tag)
{
    private const string Prefix = "page/";

    /// <summary>The name of the page itself.</summary>
    public const string Index = "index.html";

    /// <summary>All files. No other name is ever looked up, so no name leads elsewhere.</summary>
    public static IReadOnlyList<PageFile> All { get; } = [.. typeof(PageFile).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Load)];

    private static PageFile Load(string resource)
    {
        using var stream = typeof(PageFile).Assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new PageFile(resource[Prefix.Length..], TypeOf(resource), bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
    }

    private static string TypeOf(string resource) => Path.GetExtension(resource) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new InvalidOperationException($"{resource} has no media type: add it here."),
    };
}
