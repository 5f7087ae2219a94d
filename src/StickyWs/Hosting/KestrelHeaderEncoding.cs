using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using StickyWs.Pipeline;

namespace StickyWs.Hosting;

/// <summary>
/// Makes Kestrel read and write header values as Latin-1, which preserves every byte: by default it rejects anything but UTF-8, and a proxy must pass
/// on what both ends agree on. It also makes Kestrel strict about <c>Content-Length</c>. A selector that the application has set is left alone.
/// </summary>
internal sealed class KestrelHeaderEncoding : IPostConfigureOptions<KestrelServerOptions>
{
    private static readonly Func<string, Encoding?> Untouched = new KestrelServerOptions().RequestHeaderEncodingSelector;

    public void PostConfigure(string? name, KestrelServerOptions options)
    {
        if (options.RequestHeaderEncodingSelector == Untouched) options.RequestHeaderEncodingSelector = HeaderDecoding.ForRequest;
        if (options.ResponseHeaderEncodingSelector == Untouched) options.ResponseHeaderEncodingSelector = HeaderDecoding.ForResponse;
    }
}
