namespace StickyWs.Direct;

/// <summary>How a backend ended its answer.</summary>
internal enum AnswerEnd
{
    /// <summary>It came to its end.</summary>
    Whole,

    /// <summary>There was none.</summary>
    None,

    /// <summary>What came is none.</summary>
    Bad,

    /// <summary>It broke off in its body.</summary>
    Broken,
}
