namespace StickyWs.Configuration;

/// <summary>A probe with an HTTP request.</summary>
public sealed class HttpProbeOptions : ProbeOptions
{
    /// <summary>The request target, including any query. Default <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The request method. Default <c>GET</c>.</summary>
    public string Method { get; set; } = "GET";

    /// <summary>The <c>Host</c> header. Default: the authority of the backend's address.</summary>
    public string? Host { get; set; }

    /// <summary>Additional request headers. Default: none.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The statuses that count as success: numbers and ranges, such as <c>200,204</c> or <c>200-399</c>. Default <c>200-299</c>.</summary>
    public string ExpectedStatus { get; set; } = "200-299";

    /// <summary>A text that the first 64 KiB of the response body must contain, compared bytewise as UTF-8. Default: any body.</summary>
    public string? ExpectedBody { get; set; }
}
