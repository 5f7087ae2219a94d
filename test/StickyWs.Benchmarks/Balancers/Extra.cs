namespace StickyWs.Benchmarks.Balancers;

/// <summary>What a StickyWs has that others lack.</summary>
internal enum Extra
{
    None,

    /// <summary>The dashboard, at <c>/stickyws</c>.</summary>
    Dashboard,

    /// <summary>A line for each tunnel, which is made in full and written nowhere.</summary>
    AccessLines,
}
