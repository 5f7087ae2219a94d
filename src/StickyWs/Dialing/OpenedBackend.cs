using System.Net;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Frames;

namespace StickyWs.Dialing;

/// <summary>The result of a successful handshake: the backend's side of the new tunnel.</summary>
/// <typeparam name="TConnection">The lane's kind of connection.</typeparam>
/// <param name="Connection">Its connection.</param>
/// <param name="Lease">Its lease.</param>
/// <param name="Behind">The number of bytes that it sent together with its 101; the client has them already.</param>
/// <param name="Frames">Where its frames are after those bytes.</param>
/// <param name="HasFrames">Whether the tunnel is followed frame by frame: it is a WebSocket's, and its pool wants that.</param>
/// <param name="Client">The client's address, as far as it can be trusted.</param>
/// <param name="Record">What the tunnel keeps to tell of its end; <see langword="null"/> if nobody wants to know.</param>
internal readonly record struct OpenedBackend<TConnection>(
    TConnection Connection, Lease Lease, int Behind, FrameCursor Frames, bool HasFrames, IPAddress? Client, TunnelRecord? Record = null)
    where TConnection : BackendConnection;
