namespace StickyWs.Http1;

/// <summary>What the bytes of a backend's connection are.</summary>
internal enum AnswerVerdict
{
    /// <summary>The head is not whole yet.</summary>
    Incomplete,

    /// <summary>A 1xx without a body; another head follows.</summary>
    Informational,

    /// <summary>The answer to the request.</summary>
    Final,

    /// <summary>Not an answer. The connection is unusable.</summary>
    Bad,
}
