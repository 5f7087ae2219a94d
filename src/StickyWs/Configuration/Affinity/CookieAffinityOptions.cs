using Microsoft.AspNetCore.Http;

namespace StickyWs.Configuration;

/// <summary>A cookie of the balancer's own (RFC 6265). It holds the backend's name and a random pin, readable by nobody without the key.</summary>
public sealed class CookieAffinityOptions
{
    /// <summary>The cookie's name, a token (RFC 6265 section 4.1.1). Default <c>StickyWs</c>.</summary>
    public string Name { get; set; } = "StickyWs";

    /// <summary>
    /// Secrets that all instances share, each the base64 of 32 random bytes: the first one issues (AES-256-GCM), all of them verify, and a cookie of
    /// an older one is issued anew. To rotate, write the new key behind the old one on every instance, then in front of it. Renew it before it has
    /// issued 4 billion cookies. Default: none, and then the application's ASP.NET Core Data Protection issues and verifies; several instances need a
    /// shared key ring for that.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>
    /// How long a cookie is good, renewed once half of it is over; the client is told by <c>Max-Age</c>. Range 1 min to 400 days;
    /// <see langword="null"/>, the default, for as long as the browser runs.
    /// </summary>
    [TimeRange("00:01:00", "400.00:00:00")]
    public TimeSpan? Lifetime { get; set; }

    /// <summary>The cookie's path. Default <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The cookie's domain. Default: none, the host that was asked.</summary>
    public string? Domain { get; set; }

    /// <summary>Whether scripts must not read it. Default <see langword="true"/>.</summary>
    public bool HttpOnly { get; set; } = true;

    /// <summary>
    /// Whether it comes with requests from other sites; <see cref="SameSiteMode.None"/> needs <see cref="CookieSecurePolicy.Always"/>. Default
    /// <see cref="SameSiteMode.Lax"/>.
    /// </summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>
    /// Whether it is for https alone. Default <see cref="CookieSecurePolicy.SameAsRequest"/>, as the client spoke with this process; behind a proxy
    /// that terminates TLS write <see cref="CookieSecurePolicy.Always"/>.
    /// </summary>
    public CookieSecurePolicy Secure { get; set; } = CookieSecurePolicy.SameAsRequest;

    /// <summary>
    /// Whether browsers keep a copy of their own for each site that embeds this one (CHIPS), so that a frame gets it back where third-party cookies
    /// are blocked. Needs <see cref="CookieSecurePolicy.Always"/>, and <see cref="SameSiteMode.None"/> to be of use. Default <see langword="false"/>.
    /// </summary>
    public bool Partitioned { get; set; }
}
