using Microsoft.AspNetCore.Http;

namespace StickyWs.Configuration;

/// <summary>A cookie issued by the balancer (RFC 6265). It holds the backend's name and a random pin, and cannot be read without the key.</summary>
public sealed class CookieAffinityOptions
{
    /// <summary>The cookie's name, a token (RFC 6265 section 4.1.1). Default <c>StickyWs</c>.</summary>
    public string Name { get; set; } = "StickyWs";

    /// <summary>
    /// Secrets that all instances share, each the base64 of 32 random bytes. The first one issues cookies (AES-256-GCM), all of them verify, and a
    /// cookie sealed with an older one is reissued. To rotate, first append the new key on every instance, then move it to the front. Replace a key
    /// before it has issued 4 billion cookies. Default: none; the application's ASP.NET Core Data Protection then issues and verifies, and several
    /// instances need a shared key ring.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>
    /// How long a cookie is valid, sent as <c>Max-Age</c>; it is renewed after half of that time. Range 1 min to 400 days; default <see
    /// langword="null"/>: a session cookie.
    /// </summary>
    [TimeRange("00:01:00", "400.00:00:00")]
    public TimeSpan? Lifetime { get; set; }

    /// <summary>The cookie's path. Default <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The cookie's domain. Default: none, so that the cookie belongs to the requested host only.</summary>
    public string? Domain { get; set; }

    /// <summary>Whether the cookie is hidden from scripts. Default <see langword="true"/>.</summary>
    public bool HttpOnly { get; set; } = true;

    /// <summary>
    /// Whether the cookie is sent with cross-site requests; <see cref="SameSiteMode.None"/> needs <see cref="CookieSecurePolicy.Always"/>. Default
    /// <see cref="SameSiteMode.Lax"/>.
    /// </summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>
    /// Whether the cookie is limited to https. Default <see cref="CookieSecurePolicy.SameAsRequest"/>: as the client connects to this process. Behind
    /// a proxy that terminates TLS use <see cref="CookieSecurePolicy.Always"/>.
    /// </summary>
    public CookieSecurePolicy Secure { get; set; } = CookieSecurePolicy.SameAsRequest;

    /// <summary>
    /// Whether browsers keep a separate copy for each site that embeds this one (CHIPS), so that a frame gets its cookie back where third-party
    /// cookies are blocked. Needs <see cref="CookieSecurePolicy.Always"/>, and is useful only with <see cref="SameSiteMode.None"/>. Default <see
    /// langword="false"/>.
    /// </summary>
    public bool Partitioned { get; set; }
}
