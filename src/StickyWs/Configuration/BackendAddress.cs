using System.Diagnostics.CodeAnalysis;

namespace StickyWs.Configuration;

/// <summary>A backend's address: scheme, host and port, and nothing else.</summary>
internal static class BackendAddress
{
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? address)
        => Uri.TryCreate(text, UriKind.Absolute, out address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && address is { PathAndQuery: "/", Fragment: "", UserInfo: "", Port: > 0 }
            && address.Host.Length > 0;
}
