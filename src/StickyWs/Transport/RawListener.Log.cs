using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Transport;

internal sealed partial class RawListener
{
    [LoggerMessage(EventIds.CannotAccept, LogLevel.Warning,
        "Cannot accept connections on {EndPoint} for now: {Error}. EMFILE means that the process has no descriptor left (ulimit -n)",
        EventName = "CannotAccept")]
    private static partial void LogCannotAccept(ILogger logger, EndPoint endPoint, Errno error);

    [LoggerMessage(EventIds.AcceptFailed, LogLevel.Error, "Accepting on {EndPoint} failed unexpectedly; the listener continues", EventName = "AcceptFailed")]
    private static partial void LogAcceptFailed(ILogger logger, EndPoint endPoint, Exception exception);

    [LoggerMessage(EventIds.ListenerBlind, LogLevel.Warning,
        "The kernel no longer reports connections on {EndPoint}; the listener is registered again",
        EventName = "ListenerBlind")]
    private static partial void LogBlind(ILogger logger, EndPoint endPoint);
}
