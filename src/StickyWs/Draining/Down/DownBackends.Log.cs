using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Draining;

internal sealed partial class DownBackends
{
    // On threads where an exception would end the process. One tunnel's trouble, or the log's, must not keep the others.
    private bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogDefect(e);
            return false;
        }
    }

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
            // The logger's trouble; there is nobody to tell.
        }
    }

    [LoggerMessage(EventIds.DownBackendLeft, LogLevel.Information,
        "Backend {Pool}/{Backend} is down: its {Tunnels} tunnels are told to go within {Over}", EventName = "DownBackendLeft")]
    private partial void LogLeft(string pool, string backend, int tunnels, TimeSpan over);

    [LoggerMessage(EventIds.DownBackendBack, LogLevel.Information,
        "Tunnels of backend {Pool}/{Backend} are no longer told to go: {Tunnels} were", EventName = "DownBackendBack")]
    private partial void LogBack(string pool, string backend, int tunnels);

    [LoggerMessage(EventIds.DownBackendCut, LogLevel.Information,
        "Backend {Pool}/{Backend} is down: its {Tunnels} tunnels were aborted", EventName = "DownBackendCut")]
    private partial void LogCut(string pool, string backend, int tunnels);

    [LoggerMessage(EventIds.DownBackendFailed, LogLevel.Error, "A tunnel of a backend that is down could not be told to go", EventName = "DownBackendFailed")]
    private partial void LogFailed(Exception exception);
}
