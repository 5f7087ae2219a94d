namespace StickyWs.State;

/// <summary>The last verdict that took a backend out.</summary>
public sealed class BackendConviction
{
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who found it: <c>probe</c>, <c>traffic</c> or <c>other</c>.</summary>
    public required string By { get; init; }

    /// <summary>Why, as the log says it.</summary>
    public required string Cause { get; init; }

    /// <summary>Whether it rests on what traffic saw, and nothing of the balancer's own confirmed it.</summary>
    public required bool IsHearsay { get; init; }

    /// <summary>When it was taken back; <see langword="null"/> while it counts.</summary>
    public DateTimeOffset? Until { get; init; }
}
