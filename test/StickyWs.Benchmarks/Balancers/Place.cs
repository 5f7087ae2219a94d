namespace StickyWs.Benchmarks.Balancers;

/// <summary>What a balancer stands between.</summary>
/// <param name="Backend">The backend's address and port.</param>
/// <param name="IsBackendTls">Whether the backend speaks TLS; its certificate is not looked at.</param>
/// <param name="Certificate">The file with the balancer's certificate and key; none: its clients speak no TLS.</param>
internal sealed record Place(string Backend, bool IsBackendTls, string? Certificate)
{
    private const string None = "-";

    public string BackendUrl => $"{(IsBackendTls ? "https" : "http")}://{Backend}";

    /// <summary>For the command line of a role of this program.</summary>
    public string[] Arguments => [BackendUrl, Certificate ?? None];

    public static Place Parse(string backendUrl, string certificate)
    {
        var url = new Uri(backendUrl);
        return new(url.Authority, url.Scheme == Uri.UriSchemeHttps, certificate == None ? null : certificate);
    }
}
