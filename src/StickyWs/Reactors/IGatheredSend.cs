namespace StickyWs.Reactors;

/// <summary>One send that the reactor batches with all other sends of its turn.</summary>
internal interface IGatheredSend
{
    /// <summary>The bytes. They must stay in place until <see cref="Done"/>.</summary>
    (nint Start, int Length) Bytes { get; }

    /// <summary>Whether somebody waits for its end. If so, the turn does not wait for the kernel.</summary>
    bool IsAwaited { get; }

    /// <summary>The send has completed. Called on the reactor's thread.</summary>
    /// <param name="result">The number of bytes that the kernel took, or a negative error.</param>
    void Done(int result);
}
