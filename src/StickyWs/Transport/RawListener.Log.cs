using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Transport;

internal sealed partial class RawListener
{
    [LoggerMessage(EventIds.CannotAccept, LogLevel.Warning,
        "No connection can be accepted on {EndPoint} for now: {Error}. EMFILE means that the process has no descriptor left (ulimit -n)",
        EventName = "CannotAccept")]
    private static partial void LogCannotAccept(ILogger logger, EndPoint endPoint, Errno error);

    [LoggerMessage(EventIds.AcceptFailed, LogLevel.Error, "Accepting on {EndPoint} met a defect; it goes on", EventName = "AcceptFailed")]
    private static partial void LogAcceptFailed(ILogger logger, EndPoint endPoint, Exception exception);

    [LoggerMessage(EventIds.ListenerBlind, LogLevel.Warning,
        "The kernel does not report connections on {EndPoint} any more; it is asked anew",
        EventName = "ListenerBlind")]
    private static partial void LogBlind(ILogger logger, EndPoint endPoint);
}
