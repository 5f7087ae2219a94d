using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Proxying;

/// <summary>
/// Connects to a pool's backends. It speaks TLS itself, because <see cref="SocketsHttpHandler"/> would ask for and check the name in
/// the request's <c>Host</c>, whatever its options say, and that name is the client's to choose.
/// </summary>
internal sealed class BackendConnector(TlsOptions tls)
{
    // The handler gives up HTTP/2 for good where it was not agreed on once, so from then on it must not be agreed on either.
    private readonly ConcurrentDictionary<DnsEndPoint, bool> _withoutHttp2 = new();

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        return BackendTls.IsUsedBy(context.InitialRequestMessage.RequestUri!) ? await SecureAsync(stream, context, cancellationToken).ConfigureAwait(false) : stream;
    }

    private async Task<SslStream> SecureAsync(NetworkStream plain, SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var secure = new SslStream(plain);
        try
        {
            var request = context.InitialRequestMessage;
            await secure.AuthenticateAsClientAsync(BackendTls.For(tls, request.RequestUri!, Protocols(request, context.DnsEndPoint)), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        if (secure.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) _withoutHttp2[context.DnsEndPoint] = true;
        return secure;
    }

    private SslApplicationProtocol[] Protocols(HttpRequestMessage request, DnsEndPoint backend)
    {
        if (request.Version.Major < 2) return [SslApplicationProtocol.Http11];
        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionExact) return [SslApplicationProtocol.Http2];
        return _withoutHttp2.ContainsKey(backend) ? [SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
    }
}
