using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>The balancer's own cookie: issue time, client and backend, sealed for one pool and one cookie name.</summary>
internal sealed class CookieRule(CookieAffinityOptions options, CookieSeal seal, TimeProvider time) : AffinityRule
{
    private const byte Version = 1;
    private const int HeadLength = 1 + sizeof(long) + 16 + 1;

    // Padding, so that the length of the text reveals the length of the backend's name only coarsely.
    private const int Padding = 32;
    private const int LongestContent = ((HeadLength + AffinityRules.LongestBackendName + Padding - 1) / Padding) * Padding;

    // Any host of a site may set a cookie of this name for the whole site (RFC 6265 section 8.6), and the longest path comes first. The limit is low,
    // because each cookie that is not ours costs an exception.
    private const int MostCookies = 3;

    private readonly byte[] _name = Encoding.ASCII.GetBytes(options.Name);

    /// <summary>The purpose binds a sealed cookie to its pool and its name.</summary>
    public static string Purpose(string pool, string name) => $"StickyWs.Cookie.1\n{pool.ToUpperInvariant()}\n{name}";

    /// <summary>Follows the cookie that the claim has already read: it identifies the client to backends, whichever rule decides.</summary>
    public override ValueTask ApplyAsync(Claim claim, PoolSnapshot pool, in RequestView request)
    {
        if (claim.Cookie is { } cookie) claim.Follow(KeySource.Cookie, cookie.Pin, cookie.Backend, pool);
        return default;
    }

    /// <param name="request">The request.</param>
    /// <param name="backends">Those of the pool; most likely the cookie names one of them, whose string is then reused.</param>
    /// <param name="cookie">What the cookie says.</param>
    /// <returns><see langword="false"/> for a cookie that is missing, forged, stale, too long, or from another pool, without distinction.</returns>
    public bool TryRead(in RequestView request, ImmutableArray<Backend> backends, out ClientCookie cookie)
    {
        cookie = default;
        Span<byte> text = stackalloc byte[CookieSeal.LongestText];
        for (var i = 0; i < MostCookies && request.TryCookie(_name, i, text, out var length); i++)
        {
            if (TryRead(text[..length], backends, out cookie)) return true;
        }

        return false;
    }

    /// <summary>
    /// The value of a <c>Set-Cookie</c>; <see langword="null"/> if none can be issued at the moment: the client gets its response without one, and a
    /// cookie with a later response.
    /// </summary>
    public string? Issue(PinKey pin, string backend, bool isHttps)
    {
        Span<byte> content = stackalloc byte[LongestContent];
        content.Clear();
        content[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(content[1..], time.GetUtcNow().ToUnixTimeSeconds());
        pin.Write(content[(1 + sizeof(long))..]);
        var length = Encoding.UTF8.GetBytes(backend, content[HeadLength..]);
        content[HeadLength - 1] = (byte)length;
        length = (HeadLength + length + Padding - 1) / Padding * Padding;
        var cookie = new CookieOptions
        {
            Path = options.Path,
            Domain = options.Domain,
            MaxAge = options.Lifetime,
            HttpOnly = options.HttpOnly,
            SameSite = options.SameSite,
            Secure = options.Secure switch { CookieSecurePolicy.Always => true, CookieSecurePolicy.None => false, _ => isHttps },
        };
        if (options.Partitioned) cookie.Extensions.Add("Partitioned");
        return seal.Seal(content[..length]) is { } text ? cookie.CreateCookieHeader(options.Name, text).ToString() : null;
    }

    private bool TryRead(ReadOnlySpan<byte> text, ImmutableArray<Backend> backends, out ClientCookie cookie)
    {
        cookie = default;
        Span<byte> content = stackalloc byte[LongestContent];
        var opened = seal.Open(text, content, out var isOld);
        if (opened < HeadLength || content[0] != Version || opened < HeadLength + content[HeadLength - 1]) return false;
        var age = time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(content[1..]));
        if (options.Lifetime is { } lifetime && age > lifetime) return false;
        var pin = PinKey.Read(content[(1 + sizeof(long))..]);
        cookie = new ClientCookie(pin, Name(content.Slice(HeadLength, content[HeadLength - 1]), backends), isOld || age > options.Lifetime / 2);
        return true;
    }

    private static string Name(ReadOnlySpan<byte> bytes, ImmutableArray<Backend> backends)
    {
        Span<char> name = stackalloc char[LongestContent];
        name = name[..Encoding.UTF8.GetChars(bytes, name)];
        foreach (var backend in backends)
        {
            if (name.SequenceEqual(backend.Name)) return backend.Name;
        }

        return name.ToString();
    }
}

/// <summary>The content of a valid cookie.</summary>
/// <param name="Pin">Who the client is.</param>
/// <param name="Backend">The name of the backend that has its state.</param>
/// <param name="IsDue">Whether it should be reissued although nothing has changed.</param>
internal readonly record struct ClientCookie(PinKey Pin, string Backend, bool IsDue);
