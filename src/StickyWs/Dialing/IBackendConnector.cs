using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Dialing;

/// <summary>Opens upstream connections in the client's lane.</summary>
internal interface IBackendConnector<TConnection>
    where TConnection : BackendConnection
{
    /// <summary>The lane, one of <see cref="LaneNames"/>.</summary>
    string Lane => LaneNames.Portable;

    /// <exception cref="SocketException">The backend cannot be reached.</exception>
    /// <exception cref="IOException">The connection broke at once.</exception>
    /// <exception cref="AuthenticationException">The TLS handshake failed.</exception>
    ValueTask<TConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken);
}
