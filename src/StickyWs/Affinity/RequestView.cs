using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Http1;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace StickyWs.Affinity;

/// <summary>
/// The part of a request that rules may use, for a sniffed head and for a request parsed by Kestrel alike. It reads bytes as the client sent them, and
/// no header that the client named in <c>Connection</c>. A connection whose TLS is passed through has no requests, only a peer.
/// </summary>
internal readonly struct RequestView
{
    private readonly RequestHead? _head;
    private readonly HttpRequest? _request;
    private readonly string? _path;
    private readonly bool? _hasBody; // Of a plain request that Kestrel did not parse.

    public RequestView(RequestHead head, IPAddress? peer, bool isHttps)
    {
        _head = head;
        Peer = peer;
        IsHttps = isHttps;
    }

    /// <summary>A plain request that Kestrel did not parse.</summary>
    /// <param name="head">Its head: the path needs no decoding, and <c>Connection</c> names no header that a rule could read.</param>
    /// <param name="peer">The peer of its connection.</param>
    /// <param name="isHttps">Whether it came over TLS.</param>
    /// <param name="hasBody">Whether a body follows.</param>
    public RequestView(RequestHead head, IPAddress? peer, bool isHttps, bool hasBody)
        : this(head, peer, isHttps) => _hasBody = hasBody;

    public RequestView(HttpRequest request, string? path = null)
    {
        _request = request;
        _path = path;
        Peer = request.HttpContext.Connection.RemoteIpAddress;
        IsHttps = request.IsHttps;
    }

    /// <summary>A connection whose requests nobody here sees.</summary>
    public RequestView(IPAddress? peer) => Peer = peer;

    /// <summary>The peer of the connection.</summary>
    public IPAddress? Peer { get; }

    public bool IsHttps { get; }

    /// <summary>
    /// The decoded path that selected the pool. A head is sniffed only if its path needs no decoding, so both kinds of request give the same path.
    /// </summary>
    public string Path => _head?.Path ?? _path ?? (_request is null ? "" : (_request.PathBase + _request.Path).Value ?? "");

    /// <summary>Whether it is a plain request with this method; a sniffed handshake is not.</summary>
    public bool IsRequest(string method)
        => _request is not null
            ? string.Equals(_request.Method, method, StringComparison.OrdinalIgnoreCase)
            : _hasBody is not null && Ascii.EqualsIgnoreCase(_head!.Method, method);

    /// <summary>
    /// Whether it is a plain request that may be repeated when it got no response: a safe method without a body (RFC 9110 section 9.2.2).
    /// </summary>
    public bool IsRepeatable
        => _request is not null
            ? SafeMethods.Contain(_request.Method.AsSpan())
                && _request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false }
            : _hasBody == false && _head!.IsRepeatable;

    /// <summary>Whether it is a plain request whose path ends with this.</summary>
    public bool HasPathEnd(string end)
    {
        if (_request is not null) return _request.Path.Value?.EndsWith(end, StringComparison.OrdinalIgnoreCase) == true;
        if (_hasBody is null) return false;
        var path = RequestLine.Path(_head!.Target);
        return path.Length >= end.Length && Ascii.EqualsIgnoreCase(path[^end.Length..], end);
    }

    /// <summary>Copies a header's value.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="value">Takes the value.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="line">Which of several lines; by default the first.</param>
    /// <returns><see langword="false"/> when there is no such line, or when it is empty or does not fit.</returns>
    public bool TryHeader(string name, Span<byte> value, out int length, Index line = default)
    {
        length = 0;
        if (_request is not null)
        {
            var values = _request.Headers[name];
            var at = line.GetOffset(values.Count);
            return at >= 0 && at < values.Count && TryEncode(values[at], value, out length);
        }

        if (_head is null) return false;
        var skipped = line.IsFromEnd ? line.GetOffset(Count(name)) : line.Value;
        var headers = _head.ReadHeaders();
        while (skipped >= 0 && headers.Read())
        {
            if (!Ascii.EqualsIgnoreCase(headers.Name, name) || skipped-- > 0) continue;
            return !_head.IsDisowned(headers.Name) && TryCopy(headers.Value, value, out length);
        }

        return false;
    }

    /// <summary>Copies the value of the first cookie with that name.</summary>
    public bool TryCookie(ReadOnlySpan<byte> name, Span<byte> value, out int length) => TryCookie(name, 0, value, out length) && length > 0;

    /// <summary>The same for one of several cookies with that name, from 0.</summary>
    /// <returns><see langword="false"/> when there are fewer; the length is 0 for one that does not fit.</returns>
    public bool TryCookie(ReadOnlySpan<byte> name, int occurrence, Span<byte> value, out int length)
    {
        length = 0;
        if (_request is not null)
        {
            foreach (var line in _request.Headers.Cookie)
            {
                if (Pairs.TryFindCookie(line, name, ref occurrence, value, out length)) return true;
            }

            return false;
        }

        if (_head is null || _head.IsDisowned("Cookie"u8)) return false;
        var headers = _head.ReadHeaders();
        while (headers.Read())
        {
            if (!Ascii.EqualsIgnoreCase(headers.Name, HeaderNames.Cookie) || !Pairs.TryFindCookie(headers.Value, name, ref occurrence, out var found)) continue;
            if (!TryCopy(found, value, out length)) length = 0;
            return true;
        }

        return false;
    }

    /// <summary>Copies the decoded value of the first query parameter with that name (case-insensitive).</summary>
    public bool TryQuery(ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        length = 0;
        if (_head is not null) return Pairs.TryFindParameter(Pairs.QueryOf(_head.Target), name, value, out length);
        if (_request is null) return false;
        var text = _request.QueryString.Value;
        if (string.IsNullOrEmpty(text)) return false;
        var rented = ArrayPool<byte>.Shared.Rent(text.Length);
        try
        {
            return Ascii.FromUtf16(text, rented, out var written) == OperationStatus.Done
                && Pairs.TryFindParameter(rented.AsSpan(1, written - 1), name, value, out length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Copies a segment of <see cref="Path"/> as UTF-8: the text between two slashes; segment 0 follows the first slash.</summary>
    /// <returns><see langword="false"/> when there are fewer, when it is empty, or when it does not fit.</returns>
    public bool TryPathSegment(int index, Span<byte> value, out int length)
    {
        length = 0;
        var rest = Path.AsSpan();
        for (var i = -1; i < index; i++)
        {
            var slash = rest.IndexOf('/');
            if (slash < 0) return false;
            rest = rest[(slash + 1)..];
        }

        var end = rest.IndexOf('/');
        return Encoding.UTF8.TryGetBytes(end < 0 ? rest : rest[..end], value, out length) && length > 0;
    }

    private int Count(string name)
    {
        var count = 0;
        var headers = _head!.ReadHeaders();
        while (headers.Read())
        {
            if (Ascii.EqualsIgnoreCase(headers.Name, name)) count++;
        }

        return count;
    }

    private static bool TryCopy(ReadOnlySpan<byte> found, Span<byte> value, out int length)
    {
        length = found.Length;
        return length > 0 && found.TryCopyTo(value);
    }

    // Kestrel is configured to read header bytes as Latin-1, which preserves them; if the application chose another encoding, it gets UTF-8.
    private static bool TryEncode(string? text, Span<byte> value, out int length)
    {
        length = 0;
        if (string.IsNullOrEmpty(text) || text.Length > value.Length) return false;
        var encoding = text.AsSpan().ContainsAnyExceptInRange('\0', '\u00FF') ? Encoding.UTF8 : Encoding.Latin1;
        return encoding.TryGetBytes(text, value, out length);
    }
}
