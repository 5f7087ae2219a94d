using StickyWs.Configuration;
using StickyWs.Draining;

namespace StickyWs.Tests.Draining;

public sealed class ShutdownPlanTests
{
    [Theory]
    [InlineData(30, 10, 10_000, 20, 29)]
    [InlineData(30, 10, 50, 5, 29)] // Ten a second.
    [InlineData(30, 0, 10_000, 28, 29)] // A second is left to say one's own Close in.
    [InlineData(30, 0.5, 300, 28, 29)]
    [InlineData(8, 10, 10_000, 4, 7.2)] // Half of a short time.
    [InlineData(120, 10, 10_000, 110, 119)]
    [InlineData(1, 10, 0, 0, 0.9)]
    [InlineData(1, 0, 10_000, 0.5, 0.9)]
    public void For_SpreadsOverTheTimeLessTheReserve_AndCutsBeforeItIsOver(double left, double reserve, int tunnels, double over, double cut)
    {
        var plan = ShutdownPlan.For(new ShutdownOptions { Reserve = TimeSpan.FromSeconds(reserve) }, TimeSpan.FromSeconds(left), tunnels);

        Assert.Equal((over, cut), (plan.Over.TotalSeconds, plan.Cut.TotalSeconds));
        Assert.InRange(plan.CloseTimeout, left < 4 ? TimeSpan.FromSeconds(left * 0.4) : TimeSpan.FromSeconds(1), plan.Cut);
    }
}
