using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Dialing;

/// <summary>How a backend is connected to: in the lane of the client that the connection is for.</summary>
internal interface IBackendConnector<TConnection>
    where TConnection : BackendConnection
{
    /// <summary>The lane, one of <see cref="LaneNames"/>.</summary>
    string Lane => LaneNames.Portable;

    /// <exception cref="SocketException">It cannot be reached.</exception>
    /// <exception cref="IOException">The connection broke at once.</exception>
    /// <exception cref="AuthenticationException">TLS could not be agreed on.</exception>
    ValueTask<TConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken);
}
