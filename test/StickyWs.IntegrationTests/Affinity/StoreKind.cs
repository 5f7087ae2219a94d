namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The shared stores over which the tests run that need one.</summary>
public enum StoreKind
{
    /// <summary><see cref="StickyWs.TestKit.MemoryPins"/>, in the test's own process.</summary>
    Memory,
}
