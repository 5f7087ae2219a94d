using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Draining;

internal sealed partial class Rebalancer
{
    // On a timer's thread, where an exception would end the process: there is nobody to tell that the log itself fails.
    private void LogDefect(Exception exception)
    {
        try
        {
            LogFailed(exception);
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
            // The logger's trouble; the next step comes.
        }
    }

    [LoggerMessage(EventIds.RebalanceBegun, LogLevel.Information,
        "Pool {Pool} is rebalanced: {Surplus} tunnels of its crowded backends are told to go", EventName = "RebalanceBegun")]
    private partial void LogBegun(string pool, int surplus);

    [LoggerMessage(EventIds.RebalanceEnded, LogLevel.Information,
        "Pool {Pool} is no longer rebalanced: {Tunnels} tunnels were told to go, {Lost} of their clients did not come back",
        EventName = "RebalanceEnded")]
    private partial void LogEnded(string pool, int tunnels, int lost);

    [LoggerMessage(EventIds.RebalanceFailed, LogLevel.Error, "A tunnel could not be told to go so that its pool is balanced", EventName = "RebalanceFailed")]
    private partial void LogFailed(Exception exception);
}
