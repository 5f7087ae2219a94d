using StickyWs.Configuration;
using StickyWs.Draining;

namespace StickyWs.Dashboard.Tests;

/// <summary>A control of backends that does what a test says.</summary>
internal sealed class ScriptedControl : IBackendControl
{
    /// <summary>How many tunnels are left at each look; none once these are over.</summary>
    public Queue<int> Left { get; } = new();

    /// <summary>What was ordered.</summary>
    public List<string> Orders { get; } = [];

    /// <summary>How often the end was waited for.</summary>
    public int Waits { get; private set; }

    /// <summary>What a wait fails with.</summary>
    public Exception? Defect { get; init; }

    public Task<IReadOnlyList<DrainStatus>> StopAsync(BackendTarget target, CancellationToken cancellationToken = default) => Order("stop", target);

    public Task<IReadOnlyList<DrainStatus>> HandOffAsync(
        BackendTarget target, HandOffSettings? settings = null, CancellationToken cancellationToken = default) => Order("hand-off", target);

    public Task<IReadOnlyList<DrainStatus>> CutAsync(BackendTarget target, CancellationToken cancellationToken = default) => Order("cut", target);

    public void Undrain(BackendTarget target) => Orders.Add($"undrain {target}");

    public void SetWeight(BackendTarget target, int? weight) => Orders.Add($"weight {target} {weight}");

    public IReadOnlyList<DrainStatus> Read(BackendTarget? target = null) => [Status(Left.TryDequeue(out var left) ? left : 0)];

    public Task<IReadOnlyList<DrainStatus>> WhenEmptyAsync(BackendTarget target, CancellationToken cancellationToken = default)
    {
        Waits++;
        return Defect is null ? Task.FromResult<IReadOnlyList<DrainStatus>>([Status(0)]) : Task.FromException<IReadOnlyList<DrainStatus>>(Defect);
    }

    private Task<IReadOnlyList<DrainStatus>> Order(string verb, BackendTarget target)
    {
        Orders.Add($"{verb} {target}");
        return Task.FromResult<IReadOnlyList<DrainStatus>>([]);
    }

    private static DrainStatus Status(int left) => new()
    {
        Pool = "chat",
        Backend = "a",
        Mode = BackendMode.Stop,
        Outcome = left == 0 ? DrainOutcome.Empty : DrainOutcome.Draining,
        Total = 1,
        Left = left,
        Requests = 0,
        Told = 0,
        Cut = 0,
        Since = DateTimeOffset.UnixEpoch,
    };
}
