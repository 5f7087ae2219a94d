using Microsoft.Extensions.Time.Testing;
using StickyWs.Observability;

namespace StickyWs.Tests.Observability;

public sealed class PaceTests
{
    [Fact]
    public void TryPass_WithinTheTime_IsTrueOnce()
    {
        var time = new FakeTimeProvider();
        var pace = Pace.OfWarnings(time);

        Assert.True(pace.TryPass());
        Assert.False(pace.TryPass());
        time.Advance(TimeSpan.FromSeconds(59.9));
        Assert.False(pace.TryPass());
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(pace.TryPass());
        Assert.False(pace.TryPass());
    }
}
