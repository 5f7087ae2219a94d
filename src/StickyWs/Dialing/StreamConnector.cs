using System.Net.Security;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Dialing;

/// <summary>Connects with the runtime's sockets, with TLS if the address asks for it.</summary>
internal sealed class StreamConnector : IBackendConnector<StreamBackendConnection>
{
    private static readonly SslApplicationProtocol[] Http11Only = [SslApplicationProtocol.Http11];

    public static StreamConnector Instance { get; } = new();

    public async ValueTask<StreamBackendConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken)
    {
        var plain = await StreamDialer.ConnectAsync(backend, cancellationToken).ConfigureAwait(false);
        if (!BackendTls.IsUsedBy(backend.Address)) return new StreamBackendConnection(plain.Socket, plain);
        try
        {
            var opening = DuplexTlsStream.OpenAsync(
                plain, session => session.AuthenticateAsClientAsync(BackendTls.For(tls, backend.Address, Http11Only), cancellationToken));
            var stream = await opening.ConfigureAwait(false);
            return new StreamBackendConnection(plain.Socket, stream);
        }
        catch (Exception e)
        {
            StreamDialer.NoteFailedTls(backend.Names, backend.Address, e);
            throw;
        }
    }
}
