using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

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

    // Where it loads a module of the application's own, if there is one.
    private const string Banner = "<!-- banner -->";

    /// <summary>All files. No other name is ever looked up, so no name leads elsewhere.</summary>
    public static IReadOnlyList<PageFile> All { get; } = [.. typeof(PageFile).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Load)];

    /// <summary>The page, as it loads a module of the application's own.</summary>
    /// <param name="address">Where the module is.</param>
    public PageFile WithBanner(string address)
    {
        var script = $"<script type=\"module\" src=\"{HtmlEncoder.Default.Encode(address)}\"></script>";
        return From(Name, ContentType, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Bytes.Span).Replace(Banner, script, StringComparison.Ordinal)));
    }

    private static PageFile Load(string resource)
    {
        using var stream = typeof(PageFile).Assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return From(resource[Prefix.Length..], TypeOf(resource), bytes);
    }

    private static PageFile From(string name, string contentType, byte[] bytes)
        => new(name, contentType, bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");

    private static string TypeOf(string resource) => Path.GetExtension(resource) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new InvalidOperationException($"{resource} has no media type: add it here."),
    };
}
