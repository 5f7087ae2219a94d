using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>What the access log of a balancer has written.</summary>
internal static class AccessLines
{
    public static IEnumerable<LogLine> Of(Balancer balancer) => balancer.Log.Lines.Where(line => line.Category == "StickyWs.Access");

    /// <summary>The only one, once it is there.</summary>
    public static async Task<LogLine> OnlyAsync(Balancer balancer)
    {
        await Wait.UntilAsync(() => Of(balancer).Any());
        return Assert.Single(Of(balancer));
    }
}
