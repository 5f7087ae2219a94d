using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;

namespace StickyWs.Health;

/// <summary>
/// A probe with one HTTP request on a connection of its own, so that every probe also proves that the backend still accepts: a pooled connection
/// would outlive a full accept queue or a changed DNS record. It follows no redirects, uses no proxy and keeps no cookies.
/// </summary>
internal sealed class HttpProbe : IProbe
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxHeadKilobytes = 32;

    private readonly HttpProbeOptions _options;
    private readonly TlsOptions _tls;
    private readonly BackendHttpVersion _version;
    private readonly StatusRanges _expected;
    private readonly byte[]? _expectedBody;

    public HttpProbe(HttpProbeOptions options, TlsOptions tls, BackendHttpVersion version)
    {
        if (!StatusRanges.TryParse(options.ExpectedStatus, out _expected)) throw new FormatException($"'{options.ExpectedStatus}' is not a list of statuses.");
        _options = options;
        _tls = tls;
        _version = version;
        _expectedBody = options.ExpectedBody is { Length: > 0 } text ? Encoding.UTF8.GetBytes(text) : null;
    }

    public async ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken)
    {
        // Connects outside the request: a time-out of the request would not tell which step it waited for.
        var connection = await StreamDialer.OpenAsync(backend, _tls, Protocols(), cancellationToken).ConfigureAwait(false);
        await using var closing = connection.ConfigureAwait(false);
        using var client = new HttpMessageInvoker(Handler(backend, connection));
        using var request = Request(backend.Address);
        using var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        if (!_expected.Contains(status)) throw new ProbeFailedException($"status {status}, expected {_options.ExpectedStatus}");
        if (_expectedBody is null) return;
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closingBody = body.ConfigureAwait(false);
        await CheckBodyAsync(body, _expectedBody, cancellationToken).ConfigureAwait(false);
    }

    private SocketsHttpHandler Handler(Backend backend, Stream connection)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = MaxHeadKilobytes,
            UseCookies = false,
            UseProxy = false,
        };

        // The handler's own TLS would verify the name in Host, whatever its options say.
        var isTaken = 0;
        handler.ConnectCallback = (_, token) => Interlocked.Exchange(ref isTaken, 1) == 0
            ? new(connection)
            : StreamDialer.OpenAsync(backend, _tls, Protocols(), token);
        return handler;
    }

    private SslApplicationProtocol[] Protocols() => _version switch
    {
        BackendHttpVersion.Http1 => [SslApplicationProtocol.Http11],
        BackendHttpVersion.Http2 => [SslApplicationProtocol.Http2],
        _ => [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    private HttpRequestMessage Request(Uri address)
    {
        // The target is sent as written: no dot segments resolved, no escapes changed.
        var asWritten = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var target = new Uri($"{address.GetLeftPart(UriPartial.Authority)}{_options.Path}", asWritten);
        var request = new HttpRequestMessage(new HttpMethod(_options.Method), target);
        (request.Version, request.VersionPolicy) = Version(address);
        foreach (var (name, value) in _options.Headers)
        {
            if (request.Headers.TryAddWithoutValidation(name, value)) continue;
            request.Content ??= new ByteArrayContent([]);
            request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        if (_options.Host is not null) request.Headers.Host = _options.Host;
        if (!request.Headers.Contains("User-Agent")) request.Headers.UserAgent.Add(new ProductInfoHeaderValue("StickyWs-Probe", null));
        return request;
    }

    private (Version Version, HttpVersionPolicy Policy) Version(Uri address) => _version switch
    {
        BackendHttpVersion.Http2 => (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact),
        BackendHttpVersion.Auto when BackendTls.IsUsedBy(address) => (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower),
        _ => (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact),
    };

    private static async Task CheckBodyAsync(Stream body, byte[] expected, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxBodyBytes];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0) break;

            // The text may have started in the part that was already there.
            var from = Math.Max(0, length - expected.Length + 1);
            length += read;
            if (buffer.AsSpan(from, length - from).IndexOf(expected) >= 0) return;
        }

        throw new ProbeFailedException($"the expected text is not in the {(length < buffer.Length ? "" : "first ")}{length} bytes of the body");
    }
}
