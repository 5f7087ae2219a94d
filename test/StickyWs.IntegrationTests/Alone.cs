namespace StickyWs.IntegrationTests;

/// <summary>Tests that compare what the whole process holds: nothing may run beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
