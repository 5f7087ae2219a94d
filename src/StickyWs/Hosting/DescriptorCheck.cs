using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Binding;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Hosting;

/// <summary>
/// Warns, when the host has started and whenever <c>MaxTunnels</c> changes, if the process's descriptor limit is too low for that many tunnels.
/// </summary>
internal sealed partial class DescriptorCheck(BackendRegistry registry, DescriptorBudget budget, ILogger<DescriptorCheck> logger, OptionsRoot? root = null)
    : IHostedLifecycleService
{
    /// <summary>The number of tunnels to check for if <c>MaxTunnels</c> is not set.</summary>
    public const int Unlimited = 4000;

    private int? _checked;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Check(_checked = registry.Current.Options.MaxTunnels);
        registry.Changed += CheckChanged;
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        registry.Changed -= CheckChanged;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void CheckChanged(RegistrySnapshot snapshot)
    {
        var most = snapshot.Options.MaxTunnels;
        if (most == _checked) return;
        Check(_checked = most);
    }

    // Tunnels that are already open have their descriptors.
    private void Check(int? most)
    {
        if (!budget.IsLimited) return;
        var (open, limit) = budget.Count();
        var others = Math.Max(0, open - (registry.Tunnels.Count * DescriptorBudget.PerConnection));
        var room = Math.Max(0, (limit - budget.Reserve - others) / DescriptorBudget.PerConnection);
        var wanted = most ?? Unlimited;
        if (wanted <= room) return;
        var needed = DescriptorBudget.LimitFor(others + ((long)wanted * DescriptorBudget.PerConnection));
        LogTunnelsDoNotFit(Key, most?.ToString(CultureInfo.InvariantCulture) ?? "not set", limit, room, needed);
    }

    private string Key => $"{root?.Path ?? StickyWsOptions.SectionName}:MaxTunnels";

    [LoggerMessage(EventIds.TunnelsDoNotFit, LogLevel.Warning,
        "{Key} is {MaxTunnels}, but {Limit} descriptors (ulimit -n) have room for some {Room} tunnels, of two each; "
        + "more connections will wait until others end. "
        + "Raise the limit to {Needed} (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile in Docker), or set it to no more than there is room for",
        EventName = "TunnelsDoNotFit")]
    private partial void LogTunnelsDoNotFit(string key, string maxTunnels, int limit, int room, long needed);
}
