using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>
/// Connects to a pool's backends, in the raw lane if that is on. It does its own TLS handshake, because <see cref="SocketsHttpHandler"/> would send
/// and verify the name in the request's <c>Host</c>, whatever its options say, and the client controls that name.
/// </summary>
internal sealed class BackendConnector(PoolOptions pool, ClientSettings settings, bool isBound)
{
    // After one connection without HTTP/2 the handler gives it up for good, so from then on it must not be negotiated either.
    private readonly ConcurrentDictionary<DnsEndPoint, bool> _withoutHttp2 = new();

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var request = context.InitialRequestMessage;

        // The request may have moved on by now; the connection is for its original target.
        var address = new UriBuilder(request.RequestUri!.Scheme, context.DnsEndPoint.Host, context.DnsEndPoint.Port).Uri;
        var protocols = Protocols(request, context.DnsEndPoint);
        var socket = await OpenWithinBudgetAsync(address, cancellationToken).ConfigureAwait(false);
        var plain = settings.Budget?.Pooled(socket) ?? socket;
        if (!BackendTls.IsUsedBy(address)) return new PlainBackendStream(plain, socket, NewAge(), settings.Kept);
        var secure = await SecureAsync(plain, socket, address, protocols, cancellationToken).ConfigureAwait(false);
        if (secure.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) _withoutHttp2[context.DnsEndPoint] = true;
        return secure;
    }

    private ConnectionAge NewAge() => new(pool.Connections, isBound, settings.Time);

    private ValueTask<Stream> OpenWithinBudgetAsync(Uri address, CancellationToken cancellationToken)
    {
        settings.Budget?.TakeForBackend();
        return DescriptorBudget.WatchAsync(settings.Budget, OpenAsync(address, cancellationToken), isOpenAtOnce: IPAddress.TryParse(address.IdnHost, out _));
    }

    private async ValueTask<Stream> OpenAsync(Uri address, CancellationToken cancellationToken)
        => settings.Lane is { IsOn: true } lane
            ? await RawDialer.OpenStreamAsync(lane, settings.Names, address.IdnHost, address.Port, cancellationToken).ConfigureAwait(false)
            : await StreamDialer.ConnectAsync(settings.Names, address, cancellationToken).ConfigureAwait(false);

    private async ValueTask<SslStream> SecureAsync(
        Stream plain, Stream socket, Uri address, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
    {
        var secured = new TlsBackendStream(plain, socket, NewAge(), settings.Kept);
        try
        {
            await secured.AuthenticateAsClientAsync(BackendTls.For(pool.Tls, address, protocols), cancellationToken).ConfigureAwait(false);
            return secured;
        }
        catch (Exception e)
        {
            StreamDialer.NoteFailedTls(settings.Names, address, e);
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private SslApplicationProtocol[] Protocols(HttpRequestMessage request, DnsEndPoint backend)
    {
        if (request.Version.Major < 2) return [SslApplicationProtocol.Http11];
        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionExact) return [SslApplicationProtocol.Http2];
        return _withoutHttp2.ContainsKey(backend) ? [SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
    }
}
