using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Names;

namespace StickyWs.Dialing;

/// <summary>A new connection to a backend: TCP, and TLS where the address asks for it. The one place for probes, plain requests and tunnels alike.</summary>
internal static class StreamDialer
{
    /// <summary>Connects, and speaks TLS where the address asks for it; the caller owns the stream.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="tls">The pool's options.</param>
    /// <param name="protocols">What to offer by ALPN, in order of preference; none for no ALPN.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async ValueTask<Stream> OpenAsync(Backend backend, TlsOptions tls, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
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

    /// <summary>TLS failed: where an address that took the connection did not speak it, or not as it should, others of the name come first.</summary>
    public static void NoteFailedTls(AddressBook names, Uri address, Exception failure)
    {
        if (failure is AuthenticationException or IOException) names.Distrust(address.IdnHost, address.Port);
    }

    /// <summary>Connects, and no more; the caller owns the stream.</summary>
    public static ValueTask<NetworkStream> ConnectAsync(Backend backend, CancellationToken cancellationToken)
        => ConnectAsync(backend.Names, backend.Address, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(Backend,CancellationToken)"/>
    public static ValueTask<NetworkStream> ConnectAsync(AddressBook names, Uri address, CancellationToken cancellationToken)
        => names.ConnectAsync(address.IdnHost, address.Port, ConnectAsync, cancellationToken);

    /// <summary>Speaks TLS on a new connection, where the address asks for it.</summary>
    /// <param name="plain">The connection; the result owns it, and it is disposed of where there is none.</param>
    /// <param name="address">Where the backend listens.</param>
    /// <param name="tls">The pool's options.</param>
    /// <param name="protocols">What to offer by ALPN, in order of preference; none for no ALPN.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    private static async ValueTask<Stream> SecureAsync(Stream plain, Uri address, TlsOptions tls, SslApplicationProtocol[] protocols, CancellationToken cancellationToken)
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
