using StickyWs.Observability;

namespace StickyWs.Tests.Observability;

public sealed class FarewellTests
{
    [Theory]
    [InlineData(true, true, Farewell.Both)]
    [InlineData(true, false, Farewell.Client)]
    [InlineData(true, null, Farewell.Client)]
    [InlineData(false, true, Farewell.Backend)]
    [InlineData(null, true, Farewell.Backend)]
    [InlineData(false, false, Farewell.None)]
    [InlineData(null, false, Farewell.Unknown)]
    [InlineData(false, null, Farewell.Unknown)]
    [InlineData(null, null, Farewell.Unknown)]
    public void Of_BothSides_SaysOnlyWhatIsKnown(bool? client, bool? backend, string expected) => Assert.Equal(expected, Farewell.Of(client, backend));
}
