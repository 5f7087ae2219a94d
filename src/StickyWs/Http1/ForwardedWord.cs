using System.Numerics;

namespace StickyWs.Http1;

/// <summary>
/// What a backend is told of the client in <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c>: a trusted proxy's word, to which the peer is appended,
/// and what we know ourselves where nobody has said anything.
/// </summary>
internal struct ForwardedWord
{
    private string? _for;
    private string? _proto;
    private string? _host;

    /// <summary>Notes a line of one of the three, of a proxy that is trusted. Several are one list (RFC 9110 section 5.3); an empty one says nothing.</summary>
    public void Note<T>(ReadOnlySpan<T> name, string line)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (HeaderNames.Is(name, ForwardedNames.For)) _for = Joined(_for, line);
        else if (HeaderNames.Is(name, ForwardedNames.Proto)) _proto = Joined(_proto, line);
        else if (HeaderNames.Is(name, ForwardedNames.Host)) _host = Joined(_host, line);
    }

    /// <summary>Adds the three to a request that has none of them.</summary>
    /// <param name="request">The request.</param>
    /// <param name="peer">The peer of the client's connection, if it has one.</param>
    /// <param name="scheme">As the peer spoke with us.</param>
    /// <param name="host">The <c>Host</c> that it asked for; empty for none.</param>
    /// <param name="add">Adds a header.</param>
    public readonly void AddTo<TRequest>(TRequest request, string? peer, string scheme, string host, Action<TRequest, string, string> add)
    {
        if ((peer is null ? _for : Joined(_for, peer)) is { } clients) add(request, ForwardedNames.For, clients);
        add(request, ForwardedNames.Proto, _proto ?? scheme);
        if ((_host ?? host) is { Length: > 0 } asked) add(request, ForwardedNames.Host, asked);
    }

    private static string? Joined(string? before, string line) => line.Length == 0 ? before : before is null ? line : $"{before}, {line}";
}
