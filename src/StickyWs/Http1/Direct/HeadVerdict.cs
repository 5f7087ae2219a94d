namespace StickyWs.Http1;

/// <summary>What is to be done with the bytes of a client's connection.</summary>
internal enum HeadVerdict
{
    /// <summary>The head is not whole yet, and may still be any of the others.</summary>
    Incomplete,

    /// <summary>A whole head, and Kestrel would read it in the same way.</summary>
    Taken,

    /// <summary>Kestrel decides, and words the answer. It gets all bytes from the start of this head on.</summary>
    HandOn,
}
