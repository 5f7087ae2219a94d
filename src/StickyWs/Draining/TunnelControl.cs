using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>Finds one tunnel among all and says goodbye to it.</summary>
internal sealed class TunnelControl(TunnelTable tunnels) : ITunnelControl
{
    public bool SayGoodbye(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (tunnels.Find(tunnel => tunnel.ConnectionId == id, 1) is not [var tunnel]) return false;
        tunnel.Say(Goodbye.Of(tunnel.Backend.Options.Drain, EndReason.HandedOff));
        return true;
    }

    public bool Cut(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (tunnels.Find(tunnel => tunnel.ConnectionId == id, 1) is not [var tunnel]) return false;
        tunnel.Abort(EndReason.Cut);
        return true;
    }
}
