using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>A probe's own connection to a backend: TCP, and TLS where the address asks for it. Never one that work uses.</summary>
internal static class ProbeConnection
{
    /// <summary>Connects; the caller owns the stream.</summary>
    /// <param name="address">The backend's address.</param>
    /// <param name="tls">The pool's options.</param>
    /// <param name="protocols">What to offer by ALPN; none for no ALPN.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async ValueTask<Stream> OpenAsync(Uri address, TlsOptions tls, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.IdnHost, address.Port), cancellationToken);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (!BackendTls.IsUsedBy(address)) return stream;
            var secured = new SslStream(stream);
            stream = secured;
            await secured.AuthenticateAsClientAsync(BackendTls.For(tls, address, protocols), cancellationToken);
            return stream;
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }
}
