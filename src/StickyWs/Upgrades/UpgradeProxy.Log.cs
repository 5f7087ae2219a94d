using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Upgrades;

internal sealed partial class UpgradeProxy
{
    [LoggerMessage(EventIds.UpgradeNotProxied, LogLevel.Debug,
        "Connection {ConnectionId}: an upgrade of pool {Pool} was refused with {Status}: {Cause}",
        EventName = "UpgradeNotProxied")]
    private partial void LogRefused(string connectionId, string pool, int status, string cause);
}
