using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Draining;

internal sealed partial class BackendDrain
{
    // Outside of locks, on threads where an exception would end the process: there is nobody to tell that the log itself fails.
    private static void Write(Action line)
    {
        try
        {
            line();
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
            // The logger's trouble; the drain goes on.
        }
    }

    [LoggerMessage(EventIds.HandOffBegun, LogLevel.Information,
        "Backend {Pool}/{Backend} hands off its {Tunnels} tunnels within {Over}", EventName = "HandOffBegun")]
    private partial void LogHandOff(string pool, string backend, int tunnels, TimeSpan over);

    [LoggerMessage(EventIds.BackendEmpty, LogLevel.Information, "Backend {Pool}/{Backend} is empty", EventName = "BackendEmpty")]
    private partial void LogEmpty(string pool, string backend);

    [LoggerMessage(EventIds.BackendCut, LogLevel.Information, "Backend {Pool}/{Backend} was cut with {Tunnels} left", EventName = "BackendCut")]
    private partial void LogCut(string pool, string backend, int tunnels);

    [LoggerMessage(EventIds.DrainFailed, LogLevel.Error, "A tunnel of backend {Pool}/{Backend} could not be told to go", EventName = "DrainFailed")]
    private partial void LogFailed(string pool, string backend, Exception exception);
}
