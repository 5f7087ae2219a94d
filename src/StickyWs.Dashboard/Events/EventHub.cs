using Microsoft.Extensions.Logging;
using StickyWs.State;

namespace StickyWs.Dashboard.Events;

/// <summary>
/// Watches the balancer once for all who read events of tunnels, once for all others, and not at all while nobody reads. So what a tunnel costs that opens or
/// ends does not depend on how many look; and those who want no tunnels neither pay for them nor miss anything because of them.
/// </summary>
internal sealed class EventHub
{
    private readonly StickyWsDashboardOptions _options;
    private readonly EventWatch _withTunnels;
    private readonly EventWatch _withoutTunnels;
    private readonly Lock _joining = new();

    public EventHub(IStickyWsState state, TimeProvider time, StickyWsDashboardOptions options, ILogger<EventHub> logger)
    {
        _options = options;
        _withTunnels = new EventWatch(state, withTunnels: true, time, options, logger);
        _withoutTunnels = new EventWatch(state, withTunnels: false, time, options, logger);
    }

    /// <summary>How many read.</summary>
    public int Readers => _withTunnels.Readers + _withoutTunnels.Readers;

    /// <summary>Lets one more read; <see langword="null"/> if there are too many.</summary>
    public EventReader? TryJoin(EventKind wanted)
    {
        lock (_joining)
        {
            if (Readers >= _options.MaxEventStreams) return null;
            return (wanted.HasFlag(EventKind.Tunnel) ? _withTunnels : _withoutTunnels).Join(wanted);
        }
    }
}
