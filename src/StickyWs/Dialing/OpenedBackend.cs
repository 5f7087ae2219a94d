using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Dialing;

/// <summary>The result of a successful handshake: the backend's side of the new tunnel.</summary>
/// <typeparam name="TConnection">The lane's kind of connection.</typeparam>
/// <param name="Connection">Its connection.</param>
/// <param name="Lease">Its lease.</param>
/// <param name="Behind">The number of bytes that it sent together with its 101; the client has them already.</param>
/// <param name="End">Whether those bytes end with a Close frame.</param>
/// <param name="IsOpaque">Whether the tunnel's bytes are encrypted, so that no frame can be told in them.</param>
internal readonly record struct OpenedBackend<TConnection>(TConnection Connection, Lease Lease, int Behind, CloseWatch End, bool IsOpaque = false)
    where TConnection : BackendConnection;
