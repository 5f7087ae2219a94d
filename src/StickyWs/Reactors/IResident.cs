namespace StickyWs.Reactors;

/// <summary>A component on a reactor's thread with periodic work.</summary>
internal interface IResident
{
    /// <summary>Milliseconds until <see cref="Look"/> is due; -1 for never.</summary>
    int NextLook();

    /// <summary>Called after every turn, due or not.</summary>
    void Look();

    /// <summary>The reactor is stopping. Streams that are still open are then failed one by one.</summary>
    void End(Observability.EndReason reason);
}
