using StickyWs.Configuration;
using StickyWs.Draining;

namespace StickyWs.Tests.Draining;

public sealed class ShutdownPlanTests
{
    [Theory]
    [InlineData(30, 10, 10_000, 20, 29)]
    [InlineData(30, 10, 50, 5, 29)] // Ten a second.
    [InlineData(30, 0, 10_000, 30, 29)]
    [InlineData(8, 10, 10_000, 4, 7.2)] // Half of a short time.
    [InlineData(120, 10, 10_000, 110, 119)]
    [InlineData(1, 10, 0, 0, 0.9)]
    public void For_SpreadsOverTheTimeLessTheReserve_AndCutsBeforeItIsOver(double left, double reserve, int tunnels, double over, double cut)
    {
        var plan = ShutdownPlan.For(new ShutdownOptions { Reserve = TimeSpan.FromSeconds(reserve) }, TimeSpan.FromSeconds(left), tunnels);

        Assert.Equal((over, cut), (plan.Over.TotalSeconds, plan.Cut.TotalSeconds));
        Assert.True(plan.CloseTimeout >= TimeSpan.Zero || reserve == 0);
    }
}
