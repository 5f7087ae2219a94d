namespace StickyWs.State;

/// <summary>The process at one moment.</summary>
public sealed class ProcessStatus
{
    /// <summary>The version of StickyWs.</summary>
    public required string Version { get; init; }

    /// <summary>When the process started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Whether the raw lane is in use; it is not until the first endpoint listens.</summary>
    public required bool HasRawLane { get; init; }

    /// <summary>What its reactors wait with: <c>io_uring</c> or <c>epoll</c>; <see langword="null"/> without the raw lane.</summary>
    public string? ReactorKind { get; init; }

    /// <summary>Why it is not io_uring, or why there is no raw lane; <see langword="null"/> if nothing is in the way.</summary>
    public string? Obstacle { get; init; }

    /// <summary>Whether TLS of clients ends in the raw lane; <see langword="null"/> if no endpoint has needed it yet.</summary>
    public bool? HasRawTls { get; init; }

    /// <summary>The reactors of the raw lane, in the order of their numbers.</summary>
    public required IReadOnlyList<ReactorStatus> Reactors { get; init; }
}

/// <summary>A reactor of the raw lane at one moment.</summary>
public sealed class ReactorStatus
{
    /// <summary>Its number, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>About how many sockets it has: a tunnel has two.</summary>
    public required int Sockets { get; init; }

    /// <summary>Whether the kernel refused its last wait, or its last turn failed otherwise: it gets no new connections then.</summary>
    public required bool IsAiling { get; init; }
}
