using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.IntegrationTests.Failure;

/// <summary>What connections leave behind in this process. For tests that run alone.</summary>
internal static class Leaks
{
    /// <summary>Runs something twice, small and large; the second time leaves no descriptor and no secret of TLS.</summary>
    /// <param name="run">Takes how much of it there is to be.</param>
    /// <param name="much">How much the second time.</param>
    public static async Task AssertNoneAsync(Func<int, Task> run, int much)
    {
        await run(2);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        var secrets = SecretSlab.Shared.InUse; // Of tests before it that left a connection open.

        await run(much);

        await Descriptors.AssertNoMoreThanAsync(before, described);
        await Wait.UntilAsync(() => SecretSlab.Shared.InUse <= secrets);
        if (secrets == 0) Assert.True(SecretSlab.Shared.IsZero());
    }

    /// <summary>Does something that leaves no lease and no descriptor while the balancer goes on.</summary>
    public static async Task AssertNoneAsync(Balancer balancer, Func<Task> act)
    {
        await balancer.AssertNoLeasesAsync();
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());

        await act();

        await balancer.AssertNoLeasesAsync();
        await Descriptors.AssertNoMoreThanAsync(before, described);
    }
}
