using System.Globalization;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>
/// What a pool's probe is, as text to compare. A reload makes new options for every pool; only a loop whose probe really became
/// another one probes at once, or each reload would be a probe storm.
/// </summary>
internal static class ProbeIdentity
{
    public static string Of(PoolOptions pool)
    {
        var probe = pool.Health.Probe;
        object?[] common =
        [
            probe?.GetType().Name, probe?.Interval, probe?.Timeout, probe?.Rise, probe?.Fall, probe?.Retries, probe?.Jitter,
            pool.HttpVersion, pool.Tls.ServerName, pool.Tls.CaCertificateFile, pool.Tls.DangerousAcceptAnyCertificate,
        ];
        var own = probe switch
        {
            HttpProbeOptions http => [http.Path, http.Method, http.Host, http.ExpectedStatus, http.ExpectedBody, .. Lines(http.Headers)],
            WebSocketProbeOptions webSocket => [webSocket.Path, webSocket.Host, webSocket.Subprotocol, .. Lines(webSocket.Headers)],
            _ => Array.Empty<string?>(),
        };
        return string.Join('\n', common.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)).Concat(own));
    }

    private static IEnumerable<string> Lines(IDictionary<string, string> headers)
        => headers.OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase).Select(header => $"{header.Key}: {header.Value}");
}
