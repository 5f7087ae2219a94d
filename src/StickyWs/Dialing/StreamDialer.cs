using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Names;

namespace StickyWs.Dialing;

/// <summary>Opens upstream connections: TCP, and TLS if the address asks for it. Probes, plain requests and tunnels all use it.</summary>
internal static class StreamDialer
{
    /// <summary>Connects, with TLS if the address asks for it. The caller owns the stream.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="tls">The pool's TLS options.</param>
    /// <param name="protocols">What to offer by ALPN, in order of preference; empty for no ALPN.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    public static async ValueTask<Stream> OpenAsync(
        Backend backend, TlsOptions tls, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
    {
        var plain = await ConnectAsync(backend, cancellationToken).ConfigureAwait(false);
        try
        {
            return await SecureAsync(plain, backend.Address, tls, protocols, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            NoteFailedTls(backend.Names, backend.Address, e);
            throw;
        }
    }

    /// <summary>The TLS handshake failed. The address that accepted the connection may be the wrong one, so the name's other addresses come first
    /// now.</summary>
    public static void NoteFailedTls(AddressBook names, Uri address, Exception failure)
    {
        if (failure is AuthenticationException or IOException) names.Distrust(address.IdnHost, address.Port);
    }

    /// <summary>Connects without TLS. The caller owns the stream.</summary>
    public static ValueTask<NetworkStream> ConnectAsync(Backend backend, CancellationToken cancellationToken)
        => ConnectAsync(backend.Names, backend.Address, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(Backend,CancellationToken)"/>
    public static ValueTask<NetworkStream> ConnectAsync(AddressBook names, Uri address, CancellationToken cancellationToken)
        => names.ConnectAsync(address.IdnHost, address.Port, ConnectAsync, cancellationToken);

    /// <summary>Performs the TLS handshake on a new connection, if the address asks for TLS.</summary>
    /// <param name="plain">The connection. The result owns it; it is disposed if the handshake fails.</param>
    /// <param name="address">The backend's address.</param>
    /// <param name="tls">The pool's TLS options.</param>
    /// <param name="protocols">What to offer by ALPN, in order of preference; empty for no ALPN.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    private static async ValueTask<Stream> SecureAsync(
        Stream plain, Uri address, TlsOptions tls, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
    {
        if (!BackendTls.IsUsedBy(address)) return plain;
        var secured = new SslStream(plain);
        try
        {
            await secured.AuthenticateAsClientAsync(BackendTls.For(tls, address, protocols), cancellationToken).ConfigureAwait(false);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask<NetworkStream> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
