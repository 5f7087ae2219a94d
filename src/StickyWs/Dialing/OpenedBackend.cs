using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Dialing;

/// <summary>What a handshake that opened leaves behind: the backend's side of the tunnel to be.</summary>
/// <param name="Connection">Its connection.</param>
/// <param name="Lease">Its lease.</param>
/// <param name="Behind">How many bytes it sent right behind its 101; the client has them already.</param>
/// <param name="End">Whether they end with a Close.</param>
internal readonly record struct OpenedBackend<TConnection>(TConnection Connection, Lease Lease, int Behind, CloseWatch End)
    where TConnection : BackendConnection;
