namespace StickyWs.Benchmarks.Balancers;

/// <summary>What a balancer stands between.</summary>
/// <param name="Backend">The backend's address and port.</param>
/// <param name="IsBackendTls">Whether the backend speaks TLS; its certificate is not looked at.</param>
/// <param name="Certificate">The file with the balancer's certificate and key; none: its clients speak no TLS.</param>
internal sealed record Place(string Backend, bool IsBackendTls, string? Certificate)
{
    private const string None = "-";
    private const char Separator = ',';

    /// <summary>Those beside it that serve the same, if there are any: then the one with the fewest connections is next.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>The most handshakes that a backend takes at a time; 0 for any number. Only StickyWs can be told so.</summary>
    public int MaxHandshakes { get; init; }

    /// <summary>Whether StickyWs follows frames.</summary>
    public bool FollowsFrames { get; init; } = true;

    public IReadOnlyList<string> Backends => [Backend, .. Others];

    public IReadOnlyList<string> BackendUrls => [.. Backends.Select(backend => $"{(IsBackendTls ? "https" : "http")}://{backend}")];

    /// <summary>For the command line of a role of this program.</summary>
    public string[] Arguments => [string.Join(Separator, BackendUrls), Certificate ?? None];

    public static Place Parse(string backendUrls, string certificate)
    {
        var urls = backendUrls.Split(Separator).Select(url => new Uri(url)).ToList();
        return new(urls[0].Authority, urls[0].Scheme == Uri.UriSchemeHttps, certificate == None ? null : certificate)
        {
            Others = [.. urls.Skip(1).Select(url => url.Authority)],
        };
    }
}
