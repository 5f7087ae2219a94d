namespace StickyWs.Tests.Reactors;

/// <summary>Tests that compare what the whole process holds: nothing may run beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
#pragma warning disable CA1711 // It is one, to xunit.
public sealed class Alone;
#pragma warning restore CA1711
