using StickyWs.Frames;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>The owner of a pair of sockets that a relay serves. Called on the reactor's thread; must not block it.</summary>
internal interface IPairOwner
{
    /// <summary>Where a side is in its frames, before the bytes that are not counted yet.</summary>
    ref FrameCursor Frames(bool ofClient);

    /// <summary>Counts bytes that went client->backend without being seen.</summary>
    void CountToBackend(long bytes);

    /// <summary>Counts bytes that went client->backend.</summary>
    void CountToBackend(ReadOnlySpan<byte> piece) => CountToBackend(piece.Length);

    /// <summary>Counts bytes that went backend->client without being seen.</summary>
    void CountToClient(long bytes);

    /// <summary>Counts bytes that went backend->client.</summary>
    void CountToClient(ReadOnlySpan<byte> piece) => CountToClient(piece.Length);

    /// <summary>The pair ends with a word of ours to both sides.</summary>
    void NoteWord(Goodbye word)
    {
    }

    /// <summary>The pair has ended, and both sockets are closed. The last call, made once.</summary>
    void Ended(EndReason reason);
}
