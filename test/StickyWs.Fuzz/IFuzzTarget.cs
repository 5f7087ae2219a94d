namespace StickyWs.Fuzz;

/// <summary>Something that reads hostile bytes, and the properties that it must keep.</summary>
public interface IFuzzTarget : IAsyncDisposable
{
    /// <summary>Inputs to start from, good and bad.</summary>
    IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>Pieces that are worth inserting.</summary>
    IReadOnlyList<byte[]> Dictionary { get; }

    /// <summary>Checks one input; a broken property is an exception.</summary>
    /// <param name="input">The bytes.</param>
    /// <param name="random">For choices of the check's own, such as where to split.</param>
    /// <returns>Whether the input was accepted, so that a run can say that it was not all noise.</returns>
    Task<bool> CheckAsync(byte[] input, Random random);

    /// <summary>What it has done so far, in a unit of its own, if cases say too little.</summary>
    string? Tally => null;
}
