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

    /// <summary>After a wait that ended on any thread: goes on where the lane's connections live.</summary>
    ValueTask ReturnAsync() => ValueTask.CompletedTask;

    /// <exception cref="SocketException">The backend cannot be reached.</exception>
    /// <exception cref="IOException">The connection broke at once.</exception>
    /// <exception cref="AuthenticationException">The TLS handshake failed.</exception>
    ValueTask<TConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken);
}
