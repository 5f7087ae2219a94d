using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>
/// Connects to a pool's backends, in the raw lane where that is on. It speaks TLS itself, because <see cref="SocketsHttpHandler"/> would ask for and check the name in
/// the request's <c>Host</c>, whatever its options say, and that name is the client's to choose.
/// </summary>
internal sealed class BackendConnector(TlsOptions tls, RawLane? lane, DescriptorBudget? budget)
{
    // The handler gives up HTTP/2 for good where it was not agreed on once, so from then on it must not be agreed on either.
    private readonly ConcurrentDictionary<DnsEndPoint, bool> _withoutHttp2 = new();

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var request = context.InitialRequestMessage;
        var stream = await OpenAsync(request.RequestUri!, Protocols(request, context.DnsEndPoint), cancellationToken).ConfigureAwait(false);
        if (stream is SslStream secure && secure.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) _withoutHttp2[context.DnsEndPoint] = true;
        return stream;
    }

    private async ValueTask<Stream> OpenAsync(Uri address, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
    {
        budget?.TakeForBackend();
        var connecting = ConnectAsync(address, cancellationToken); // Opens its socket at once.
        budget?.Opened();
        var plain = await connecting.ConfigureAwait(false);
        return await BackendStream.SecureAsync(budget?.Pooled(plain) ?? plain, address, tls, protocols, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<Stream> ConnectAsync(Uri address, CancellationToken cancellationToken)
        => lane is { IsOn: true }
            ? await lane.ConnectAsync(address.IdnHost, address.Port, cancellationToken).ConfigureAwait(false)
            : await BackendStream.ConnectAsync(address, cancellationToken).ConfigureAwait(false);

    private SslApplicationProtocol[] Protocols(HttpRequestMessage request, DnsEndPoint backend)
    {
        if (request.Version.Major < 2) return [SslApplicationProtocol.Http11];
        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionExact) return [SslApplicationProtocol.Http2];
        return _withoutHttp2.ContainsKey(backend) ? [SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
    }
}
