namespace StickyWs.Reactors;

/// <summary>One send of a party's that goes out together with all others of a reactor's turn.</summary>
internal interface IGatheredSend
{
    /// <summary>Where the bytes are, and how many; they stay there until it is told of.</summary>
    (nint Start, int Length) Bytes { get; }

    /// <summary>It is done. On the reactor's thread.</summary>
    /// <param name="result">How many bytes the kernel took, or an error, negative.</param>
    void Done(int result);
}
