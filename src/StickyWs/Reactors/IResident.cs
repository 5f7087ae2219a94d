namespace StickyWs.Reactors;

/// <summary>Who lives on a reactor's thread and has to look at something once in a while.</summary>
internal interface IResident
{
    /// <summary>Milliseconds until <see cref="Look"/> is due; -1 for never.</summary>
    int NextLook();

    /// <summary>Called after every turn, due or not.</summary>
    void Look();

    /// <summary>The reactor ends; streams that are left are told so one by one.</summary>
    void End(Observability.EndReason reason);
}
