namespace StickyWs.Draining;

/// <summary>Ends single tunnels: a singleton of the application's services once <c>AddStickyWebSocketBalancing</c> was called.</summary>
public interface ITunnelControl
{
    /// <summary>
    /// Tells a tunnel to go: a Close frame to both sides, with the code and the reason of its pool's <c>Drain</c> options. It ends soon after, as
    /// <see cref="Observability.EndReason.HandedOff"/>. Its client may come back to the same backend. Said twice, it does nothing.
    /// </summary>
    /// <param name="id">The tunnel's id, as the state has it.</param>
    /// <returns>Whether there is such a tunnel.</returns>
    bool SayGoodbye(string id);

    /// <summary>Aborts a tunnel: both its connections are reset. It ends as <see cref="Observability.EndReason.Cut"/>.</summary>
    /// <param name="id">The tunnel's id, as the state has it.</param>
    /// <returns>Whether there is such a tunnel.</returns>
    bool Cut(string id);
}
